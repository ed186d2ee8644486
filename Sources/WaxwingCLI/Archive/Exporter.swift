import Age
import Archive
import ConclaveProtocol
import WaxwingCore

/// Writes an archive of groups: reads the part of each history that has come to rest, page by page.
struct Exporter {
    private struct Part {
        var id: ID
        var rows: SettledHistory
        var first: UInt64
    }

    private let reader: AccountReader
    private let names: Names
    private let contents: ArchiveContents
    private let parts: [Part]
    private let isStopped: () -> Bool

    /// Rows that stay out.
    var waiting: Int { contents.waiting }

    /// Fixes what will be in the archive: what comes in after this is left to the next one.
    ///
    /// - Throws: ``Failure`` where the earlier archive is another account's; `StoreError`, `CoreError`.
    init(_ reader: AccountReader, _ groups: [GroupRecord], previous: ArchiveEnd?, isStopped: @escaping () -> Bool)
        throws
    {
        guard let account = try reader.account() else { throw Failure.notLoggedIn }
        if let previous, previous.account != account.userID {
            throw Failure(.notPossible, "the earlier archive is another account's")
        }
        self.reader = reader
        names = Names(reader)
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
                fingerprint: account.fingerprint, isVerified: true, shownName: try names.username(account.userID)),
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

    /// - Throws: ``Failure``, `StoreError`, ``OutputGone``; what was written is of no use then.
    func run(to target: ExportTarget, _ sealing: AgeSealing, isArmored: Bool) throws -> ArchiveSummary {
        do {
            let writer = try ArchiveWriter(
                contents, to: sealing, isArmored: isArmored, signer: try ArchiveSignature.signer(reader),
                folder: target.folder, entropy: Surroundings.current.ageEntropy, user: user)
            try read(into: writer)
            var meter = ProgressMeter("sealing", .bytes)
            let all = writer.compressedSize
            let summary = try writer.finish { bytes in
                if isStopped() { throw Failure.interrupted }
                try target.append(bytes)
                meter.show(target.count, of: all)
            }
            meter.end()
            try target.publish()
            return summary
        } catch let error as ArchiveError {
            throw Failure(error)
        } catch let error as AgeError {
            throw Failure(ArchiveError(error))
        }
    }

    private func read(into writer: ArchiveWriter) throws {
        var meter = ProgressMeter("exporting", .rows)
        var done: UInt64 = 0
        // The numbers of the log tell how many rows there are, as long as none is missing.
        let all = parts.reduce(0) { $0 + ($1.rows.group.cursor > $1.first ? $1.rows.group.cursor - $1.first : 0) }
        for part in parts {
            var rows = part.rows
            while let page = try rows.next() {
                if isStopped() { throw Failure.interrupted }
                try writer.add(page, of: part.id)
                done += UInt64(page.rows.count)
                meter.show(done, of: all)
            }
        }
        meter.end()
    }

    private func user(_ id: ID) throws -> ArchiveUser? {
        try reader.user(id).map { [names] user in
            ArchiveUser(
                id: id, username: user.name, alias: user.alias, fingerprint: user.fingerprint,
                isVerified: user.verified, shownName: user.name.isEmpty ? "" : try names.username(id))
        }
    }
}
