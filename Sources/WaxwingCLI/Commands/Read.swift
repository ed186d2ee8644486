import Machine
import ArgumentParser
import WaxwingClient
import WaxwingCore
import Waxwing

struct Read: Action {
    static let configuration = CommandConfiguration(
        abstract: "Show a group's history, as far as it is on this machine.",
        discussion: """
            Needs no network. Messages of yours that wait come last, with their state.

            If a server restarts its numbering, numbers come twice; `--json` tells them apart by their era. --since \
            NUMBER means the last numbering that got as far, and shows everything after it, including later \
            numberings; --since ERA:NUMBER means exactly that one.

            Example:
              waxwing read lunch --last 20
              waxwing read lunch --since 1042 --json
              waxwing read lunch --since 1:17 --json
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Option(help: ArgumentHelp("How many of the last lines to show (default: 50).", valueName: "count"))
    var last: Int?

    @Flag(help: "Show everything.")
    var all = false

    @Option(help: ArgumentHelp("Show what came after this sequence number.", valueName: "[era:]number"))
    var since: LogPlace?

    @Flag(
        help:
            "Keep showing what comes in, until Ctrl-C. Needs another process that is connected, such as waxwing watch.")
    var follow = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if [last != nil, all, since != nil].count(where: { $0 }) > 1 {
            throw ValidationError("--last, --all and --since exclude each other.")
        }
        guard (0...1_000_000).contains(last ?? 0) else { throw ValidationError("--last takes 0 to 1000000.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let reader = try profile.openReader()
        let group = try reader.theGroup(group)
        let printer = try HistoryPrinter(reader, json: output.json)
        var shown = HistoryTail(reader, group.id)
        if let since {
            if let place = try reader.position(after: since.sequence, era: since.era, in: group) {
                shown.start(at: place)
            }
            try shown.forEachNew { try printer.print($0, in: group) }
        } else if all {
            try shown.forEachNew { try printer.print($0, in: group) }
        } else {
            for row in try shown.last(last ?? 50) { try printer.print(row, in: group) }
        }
        try await note(printer.news, reader, profile, surroundings)
        if follow { try await self.follow(group, &shown, reader, printer, profile, surroundings) }
    }

    /// The store is checked five times a second, the connection every few seconds.
    private static let roundsPerLook = 20

    private func follow(
        _ group: GroupRecord, _ shown: inout HistoryTail, _ reader: AccountReader, _ printer: HistoryPrinter,
        _ profile: Profile, _ surroundings: Surroundings
    ) async throws {
        let interrupt = Interrupt()
        var revision = try reader.revision()
        var (isToldAlone, round) = (false, 0)
        while !interrupt.hasCome {
            defer { round += 1 }
            if !isToldAlone, round % Self.roundsPerLook == 0, !ConnectionLease.isTaken(path: profile.leasePath) {
                isToldAlone = true
                Console.note("note: no process is connected with this profile, so nothing new comes in")
                Console.note("  run `waxwing watch` beside this to stay connected, or `waxwing sync` to fetch once")
            }
            try await Task.sleep(for: .milliseconds(200))
            let current = try reader.revision()
            guard current != revision else { continue }
            revision = current
            try shown.forEachNew { try printer.print($0, in: group) }
            try await note(printer.news, reader, profile, surroundings)
        }
    }

    /// Messages need not be held any longer for what was shown of members. In a read-only profile they still are.
    private func note(
        _ news: MemberNews, _ reader: AccountReader, _ profile: Profile, _ surroundings: Surroundings
    ) async throws {
        do {
            try await news.note(reader) { try profile.open(in: surroundings).client }
        } catch {
            Console.note("what has been shown could not be saved: \(Failure(explaining: error)?.message ?? "\(error)")")
        }
    }
}

/// A place in the log of a group: a sequence number, and its era if one was named.
struct LogPlace: ExpressibleByArgument, Hashable, Sendable {
    var era: UInt32?
    var sequence: UInt64

    init?(argument: String) {
        let parts = argument.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let last = parts.last, let sequence = UInt64(last) else { return nil }
        self.sequence = sequence
        guard parts.count == 2 else { return }
        guard let era = UInt32(parts[0]) else { return nil }
        self.era = era
    }
}
