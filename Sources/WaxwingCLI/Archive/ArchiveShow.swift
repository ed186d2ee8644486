import Archive
import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct ArchiveShow: Action {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show messages of an archive, without unpacking the rest of it.",
        discussion: """
            What is shown was checked against the archive's hashes; `archive verify` checks the whole archive, and who \
            signed it.

            Example:
              waxwing archive show lunch.age --identity archive.key
              waxwing archive show all.age lunch --from 1042 --count 10 --identity archive.key --json
            """)

    @Argument(help: "The archive.")
    var file: String

    @Argument(help: "The group's name or id; not needed if there is only one.")
    var group: String?

    @Option(help: ArgumentHelp("Start at this sequence number.", valueName: "sequence"))
    var from: UInt64?

    @Option(
        help: ArgumentHelp(
            "In this numbering, if the server has restarted it (default: the last).", valueName: "number"))
    var era: UInt32?

    @Option(help: ArgumentHelp("How many lines to show.", valueName: "count"))
    var count = 50

    @Flag(help: "Show everything.")
    var all = false

    @OptionGroup var keys: OpeningOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if all, from != nil || era != nil { throw ValidationError("--all and --from exclude each other.") }
        guard (1...10_000).contains(count) else { throw ValidationError("--count takes 1 to 10000.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let archive = try keys.open(file, try keys.opening(surroundings))
        let group = try theGroup(archive)
        guard let id = ID(text: group.id) else { throw Failure(.archiveDamaged, "\(file): a group has no id") }
        let users = Dictionary(try archive.members().map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let names = Names(known: users.mapValues(\.username))
        do {
            if all {
                try archive.forEachRow { other, row in if other == id { try show(row, group, id, names) } }
            } else {
                for row in try archive.rows(of: id, from: start(group), limit: count) {
                    try show(row, group, id, names)
                }
            }
        } catch let error as ArchiveError {
            throw Failure(error, in: file)
        }
    }

    private func theGroup(_ archive: ArchiveReader) throws -> ArchiveTrailer.Group {
        let groups = archive.trailer.groups
        let found = group.map { name in groups.filter { $0.name == name || $0.id == name } } ?? groups
        if found.count == 1 { return found[0] }
        let names = groups.map { $0.name.onOneLine }.joined(separator: ", ")
        throw Failure(
            .unknownName, found.isEmpty ? "no such group is in the archive" : "several groups are in the archive",
            hint: groups.isEmpty ? "there are no lines in it" : "name one of: \(names)")
    }

    /// How many of the last lines to show by default.
    private func start(_ group: ArchiveTrailer.Group) -> ArchiveEnd.Last {
        let last = group.ranges.last { era == nil || $0.era == era }
        let sequence = from ?? last.map { $0.last >= UInt64(count) ? $0.last - UInt64(count) + 1 : 0 } ?? 0
        return ArchiveEnd.Last(era: era ?? last?.era ?? 0, sequence: sequence)
    }

    private func show(_ row: HistoryRow, _ group: ArchiveTrailer.Group, _ id: ID, _ names: Names) throws {
        if output.json {
            Console.print(
                try JSON.line(HistoryView(row, group: group.name.onOneLine, id: group.id, waiting: nil, names)))
        } else {
            Console.print(try HistoryLine(names: names).text(row, waiting: nil))
        }
        try Console.checkOutput()
    }
}
