import ArgumentParser
import WaxwingCore

struct Read: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show a group's history, as far as it is on this machine.",
        discussion: """
            Needs no network. Messages of yours that wait come last, with their state.

            Example:
              waxwing read lunch --last 20
              waxwing read lunch --since 1042 --json
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Option(help: ArgumentHelp("How many of the last lines to show (default: 50).", valueName: "count"))
    var last: Int?

    @Flag(help: "Show everything.")
    var all = false

    @Option(help: ArgumentHelp("Show what came after this sequence number.", valueName: "sequence"))
    var since: UInt64?

    @Flag(help: "Go on with what comes in, until Ctrl-C. Another process has to be connected, such as waxwing watch.")
    var follow = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if [last != nil, all, since != nil].count(where: { $0 }) > 1 {
            throw ValidationError("--last, --all and --since exclude each other.")
        }
        guard (0...1_000_000).contains(last ?? 0) else { throw ValidationError("--last takes 0 to 1000000.") }
    }

    func run() async throws {
        let reader = try Profile.locate(profile).openReader()
        let group = try reader.theGroup(group)
        let printer = HistoryPrinter(reader, json: output.json)
        var shown = HistoryTail(reader, group.id)
        if let since {
            shown.start(at: .after(sequence: since, in: group))
            try shown.forEachNew { try printer.print($0, in: group) }
        } else if all {
            try shown.forEachNew { try printer.print($0, in: group) }
        } else {
            for row in try shown.last(last ?? 50) { try printer.print(row, in: group) }
        }
        if follow { try await self.follow(group, &shown, reader, printer) }
    }

    private func follow(
        _ group: GroupRecord, _ shown: inout HistoryTail, _ reader: AccountReader, _ printer: HistoryPrinter
    ) async throws {
        let interrupt = Interrupt()
        var revision = try reader.revision()
        while !interrupt.hasCome {
            try await Task.sleep(for: .milliseconds(200))
            let current = try reader.revision()
            guard current != revision else { continue }
            revision = current
            try shown.forEachNew { try printer.print($0, in: group) }
        }
    }
}
