import Age
import Archive
import ConclaveProtocol
import MLSOpenSSL
import WaxwingCore

/// Writes an archive of groups: reads the settled part of each history, page by page.
package struct Exporter {
    /// A step of an export.
    package enum Step: Sendable {
        /// Rows are being read.
        case reading
        /// Bytes are being sealed and written.
        case sealing
    }

    private struct Part {
        var id: ID
        var rows: SettledHistory
        var first: UInt64
    }

    private let reader: AccountReader
    private let names: ShownNames
    private let entropy: AgeEntropy
    private let contents: ArchiveContents
    private let parts: [Part]
    private let isStopped: () -> Bool
    private let progress: (Step, _ done: UInt64, _ all: UInt64) -> Void

    /// Rows that are left out.
    package var waiting: Int { contents.waiting }

    /// Fixes what will be in the archive; what comes in later is left to the next one.
    ///
    /// - Parameters:
    ///   - previous: the archive that this one continues.
    ///   - isStopped: asked now and then; if it returns true, the export ends.
    ///   - progress: called with the number of rows read, then with the number of bytes sealed.
    /// - Throws: ``AccountError`` `archiveOfAnother`, `notSignedIn`; `StoreError`, `CoreError`.
    package init(
        _ reader: AccountReader, _ groups: [GroupRecord], previous: ArchiveEnd?, entropy: @escaping AgeEntropy,
        isStopped: @escaping () -> Bool, progress: @escaping (Step, _ done: UInt64, _ all: UInt64) -> Void
    ) throws {
        guard let account = try reader.account() else { throw AccountError.notSignedIn }
        if let previous, previous.account != account.userID { throw AccountError.archiveOfAnother }
        self.reader = reader
        self.entropy = entropy
        self.progress = progress
        let names = ShownNames(try reader.users().mapValues(\.username))
        self.names = names
        self.isStopped = isStopped
        let own = try reader.user(account.userID)
        var parts: [Part] = []
        var described: [ArchiveGroup] = []
        for group in groups {
            let id = group.serverID ?? group.id
            let after = previous?.last[id]
            let rows = try SettledHistory(reader, group.id, after: after.map { ($0.era, $0.sequence) })
            parts.append(Part(id: id, rows: rows, first: after?.sequence ?? 0))
            described.append(try Self.describe(rows.group, as: id, reader))
        }
        self.parts = parts.sorted { $0.id < $1.id }
        contents = ArchiveContents(
            account: ArchiveUser(
                id: account.userID, username: account.username, alias: own?.alias ?? "",
                fingerprint: account.fingerprint, isVerified: true, shownName: names.name(of: account.userID)),
            server: account.serverURL, groups: described, waiting: parts.reduce(0) { $0 + $1.rows.waiting },
            previous: previous)
    }

    private static func describe(_ group: GroupRecord, as id: ID, _ reader: AccountReader) throws -> ArchiveGroup {
        let members = try reader.membership(group.id)
        return ArchiveGroup(
            id: id, name: group.name, alias: group.alias, status: "\(group.status)", mlsGroupID: group.mlsGroupID,
            joinedEpoch: group.joinedEpoch,
            members: Set(members.tree).union(members.roster.map(\.user)).sorted())
    }

    /// - Throws: ``AccountError`` `interrupted`, `ArchiveError`, `StoreError`, and what the target throws; what was
    ///   written is then of no use.
    package func run(to target: ExportTarget, _ sealing: AgeSealing, isArmored: Bool) throws -> ArchiveSummary {
        do {
            let writer = try ArchiveWriter(
                contents, to: sealing, isArmored: isArmored, signer: try AccountSigner(reader, OpenSSLProvider()),
                folder: target.folder, entropy: entropy, user: user)
            try read(into: writer)
            let all = writer.compressedSize
            let summary = try writer.finish { bytes in
                if isStopped() { throw AccountError.interrupted }
                try target.append(bytes)
                progress(.sealing, target.count, all)
            }
            try target.publish()
            return summary
        } catch let error as AgeError {
            throw ArchiveError(error)
        }
    }

    private func read(into writer: ArchiveWriter) throws {
        var done: UInt64 = 0
        // The sequence numbers tell how many rows there are, as long as none is missing.
        let all = parts.reduce(0) { $0 + ($1.rows.group.cursor > $1.first ? $1.rows.group.cursor - $1.first : 0) }
        for part in parts {
            var rows = part.rows
            while let page = try rows.next() {
                if isStopped() { throw AccountError.interrupted }
                try writer.add(page, of: part.id)
                done += UInt64(page.rows.count)
                progress(.reading, done, all)
            }
        }
    }

    private func user(_ id: ID) throws -> ArchiveUser? {
        try reader.user(id).map { [names] user in
            ArchiveUser(
                id: id, username: user.name, alias: user.alias, fingerprint: user.fingerprint,
                isVerified: user.verified, shownName: user.name.isEmpty ? "" : names.name(of: id))
        }
    }
}

/// Where an archive is written to.
package protocol ExportTarget: AnyObject {
    /// Space for what does not fit into memory meanwhile.
    var folder: String { get }
    /// Bytes written so far.
    var count: UInt64 { get }

    func append(_ bytes: UnsafeRawBufferPointer) throws

    /// Called when all of it is written.
    func publish() throws
}

extension OutputFile: ExportTarget {}

extension AccountSigner: ArchiveSigner {}
