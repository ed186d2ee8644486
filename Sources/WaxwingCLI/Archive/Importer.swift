import Machine
import Archive
import ConclaveProtocol
import WaxwingClient
import WaxwingCore

/// Imports the history of a checked archive into a profile, piece by piece.
///
/// Each piece is one change set. If the import is interrupted, what came in stays, and the next import continues.
struct Importer {
    private let client: Client
    private let archive: ArchiveReader
    private let interrupt = Interrupt()

    init(_ client: Client, _ archive: ArchiveReader) {
        self.client = client
        self.archive = archive
    }

    /// - Throws: ``Failure`` `interrupted`; `ArchiveError`, `StoreError`, `CoreError`.
    func run() async throws -> ImportCounts {
        let eras = try eras()
        try await client.perform(
            .importUsers(
                try archive.members().map { ImportedUser(id: $0.id, username: $0.username, alias: $0.alias) }))
        var meter = ProgressMeter("importing", .rows)
        defer { meter.end() }
        var counts = ImportCounts()
        var done: UInt64 = 0
        var rows = archive.rows()
        var ahead = try rows.next()
        while let group = ahead?.group {
            if interrupt.hasCome {
                throw Failure(.interrupted, "interrupted", hint: "what came in so far stays; import again to continue")
            }
            var page: [HistoryRow] = []
            var bound = ImportPiece()
            while let (other, row) = ahead, other == group, bound.takes(row) {
                page.append(row)
                ahead = try rows.next()
            }
            let known = archive.trailer.groups.first { $0.id == group.description }
            let piece = ImportedHistory(
                group: group, name: known?.name ?? "", alias: known?.alias ?? "", eras: eras[group] ?? [:],
                unmarked: known?.unmarked ?? [:], rows: page)
            if case .imported(let more) = try await client.perform(.importHistory(piece)) { counts += more }
            done += UInt64(page.count)
            meter.show(done, of: archive.trailer.rows)
        }
        return counts
    }

    /// Maps the eras of the archive to those of the profile.
    private func eras() throws -> [ID: [UInt32: UInt32]] {
        var matches: [ID: EraMatch] = [:]
        for group in archive.trailer.groups {
            guard let id = ID(text: group.id) else { throw ArchiveError(.damaged, "a group has no id") }
            var match = try EraMatch(client.reader, group: id)
            for range in group.ranges {
                guard range.first > 0 else { throw ArchiveError(.damaged, "a row has the number 0, which no log has") }
                match.note(era: range.era)
            }
            guard !match.hasStrays else {
                throw ArchiveError(.damaged, "it has more restarts of the numbering than any server makes")
            }
            matches[id] = match
        }
        // There is nothing to compare with yet.
        if !matches.values.contains(where: \.needsRows) { return matches.mapValues(\.eras) }
        var rows = archive.rows()
        var meter = ProgressMeter("comparing", .rows)
        defer { meter.end() }
        var done: UInt64 = 0
        while let (group, row) = try rows.next() {
            try matches[group]?.look(at: row)
            done += 1
            if done % 1000 == 0 { meter.show(done, of: archive.trailer.rows) }
        }
        return matches.mapValues(\.eras)
    }
}

extension ArchiveTrailer.Group {
    /// Where the last rows of each era begin, which get marks.
    fileprivate var unmarked: [UInt32: UInt64] {
        let starts = ranges.map { ($0.era, $0.last - min($0.last, ClientLimits.importedMarks)) }
        return Dictionary(starts, uniquingKeysWith: max)
    }
}
