import ConclaveProtocol

/// Compares the rows of an archive with its trailer.
struct OrderCheck {
    private let expected: [ArchiveTrailer.Group]
    private let starts: [ID: ArchiveEnd.Last]
    private let ends: [ID: ArchiveEnd.Last]
    private var tally: GroupTally?
    private var seen: [ID: ArchiveEnd.Last]
    private var done = 0

    init(_ trailer: ArchiveTrailer) throws(ArchiveError) {
        expected = trailer.groups
        starts = try ArchiveTrailer.places(trailer.starts)
        ends = try ArchiveTrailer.places(trailer.ends)
        seen = starts
    }

    mutating func take(_ row: RowFacts) throws(ArchiveError) {
        let group = row.group
        if tally?.group.id != group {
            try close()
            guard done < expected.count, expected[done].id == group.description else { throw Self.unfit }
            tally = GroupTally(
                ArchiveGroup(
                    id: group, name: expected[done].name, alias: expected[done].alias,
                    joinedEpoch: expected[done].joinedEpoch),
                after: starts[group])
        }
        do throws(ArchiveError) { try tally?.add(row) } catch {
            throw ArchiveError(.damaged, error.reason)
        }
        // Checked before they take memory.
        if let tally, tally.rangeCount > expected[done].ranges.count { throw Self.unfit }
    }

    mutating func finish() throws(ArchiveError) {
        try close()
        guard done == expected.count, seen == ends else { throw Self.unfit }
    }

    private mutating func close() throws(ArchiveError) {
        guard let tally else { return }
        guard tally.summary == expected[done] else { throw Self.unfit }
        seen[tally.group.id] = tally.last
        done += 1
        self.tally = nil
    }

    private static var unfit: ArchiveError {
        ArchiveError(.damaged, "the messages in the archive are not those its trailer tells of")
    }
}
