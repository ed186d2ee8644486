import Machine
import ArgumentParser
import Waxwing
import WaxwingClient
import WaxwingCore

struct Send: Action {
    static let configuration = CommandConfiguration(
        abstract: "Write a message to a group.",
        discussion: """
            The message is safe on this machine when the command returns, whether it could be sent yet or not. The \
            exit code is then 0, with these exceptions: 3 or 5 if no one is logged in, 19 if the server asks to wait, \
            and 21 while someone whom you have not accepted is in the group. With --queue it is 0.

            Example:
              waxwing send lunch "Noon at the fountain?"
              fortune | waxwing send lunch
              waxwing send lunch --lines < shopping-list
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The text; standard input if it is missing or -.")
    var text: String?

    @Flag(help: "Send each line of standard input as a separate message; empty lines are skipped.")
    var lines = false

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if lines, text ?? "-" != "-" { throw ValidationError("--lines takes its messages from standard input.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let tally = Tally()
        let account = try profile.open(in: surroundings) { tally.take($0) }
        let group = try account.reader.theGroup(group)
        let errand = Errand(account, wait)
        if lines {
            let outcomes = try await errand.carryOut(try await queueLines(for: group, errand, surroundings))
            try await tell(outcomes, account, tally) { try tellOfLines(outcomes, account) }
            return
        }
        let outcomes = try await errand.run([Command.send(group: group.id, text: try message(surroundings))])
        try await tell(outcomes, account, tally) {
            try Report.tell(outcomes, account, json: output.json) { _, sequence in
                sequence.map { "sent (seq \($0))" } ?? "sent"
            }
        }
    }

    /// Reports what became of messages, whom they reach for the first time, and whom they wait for.
    private func tell(
        _ outcomes: [(row: OutboxRow, outcome: Outcome)], _ account: Account, _ tally: Tally,
        _ report: () throws -> Void
    ) async throws {
        let news = MemberNews()
        for (row, outcome) in outcomes where outcome.isHeld {
            for leaf in try account.reader.room(row.group)?.holds ?? [] { news.explained(leaf, in: row.group) }
        }
        let result = Result { try report() }
        if !output.json, let reached = try Names(account.reader).reached(tally.counts.reached) { Console.note(reached) }
        try await news.note(account.reader) { account.client }
        try result.get()
    }

    private func message(_ surroundings: Surroundings) throws -> String {
        if let text, text != "-" { return text }
        let bytes: [UInt8]
        do {
            bytes = try InputBytes.read(
                from: StandardStreams.input, limit: ClientLimits.messageText, by: surroundings.read)
        } catch {
            throw Failure(.usage, "standard input cannot be sent as one message: \(error.message)")
        }
        var text = try Self.text(bytes)
        // The line end that `echo` adds is not part of the message.
        if text.hasSuffix("\r\n") || text.hasSuffix("\n") { text.removeLast() }
        return text
    }

    private static func text(_ bytes: [UInt8]) throws(Failure) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw Failure(.usage, "standard input is not UTF-8 text", hint: "only text can be sent")
        }
        return text
    }

    // MARK: Many messages

    /// Queues each line as it comes. If one cannot be sent, those before it stay queued.
    private func queueLines(
        for group: GroupRecord, _ errand: Errand, _ surroundings: Surroundings
    ) async throws -> [OutboxRow] {
        var input = InputLines(from: StandardStreams.input, limit: ClientLimits.messageText, by: surroundings.read)
        var rows: [OutboxRow] = []
        do {
            while let line = try input.next() {
                if line.isEmpty { continue }
                rows += try await errand.queue([.send(group: group.id, text: try Self.text(line))])
            }
        } catch {
            guard !rows.isEmpty, let failure = Failure(explaining: error) else { throw error }
            throw Failure(
                failure.status, "line after message \(rows.count): \(failure.message)",
                hint: "the messages before it are queued and go out with the next sync")
        }
        return rows
    }

    /// For scripts one line per message; for people one line for all that were sent, and one for all that wait.
    private func tellOfLines(_ outcomes: [(row: OutboxRow, outcome: Outcome)], _ account: Account) throws {
        if output.json {
            try Report.tell(outcomes, account, json: true) { _, _ in "" }
            return
        }
        let sent = outcomes.count { if case .done = $0.outcome { true } else { false } }
        if sent > 0 || outcomes.isEmpty { Console.print("sent \(sent) message\(sent == 1 ? "" : "s")") }
        let lists = OutboxLists(account.reader)
        let pauses = try outcomes.compactMap { _, outcome in
            if case .waiting(let pause) = outcome { try PauseWords(pause, lists) } else { nil }
        }
        if let pause = pauses.first {
            Console.print(
                "queued \(pauses.count) message\(pauses.count == 1 ? "" : "s"): \(pause.words)\(pause.outlook("they go"))"
            )
        }
        let held = outcomes.filter { $0.outcome.isHeld }
        if held.count > 1 { Console.print("\(held.count) messages are held:") }
        try Report.tell(Array(held.prefix(1)), account, json: false) { _, _ in "" }
        let refused = outcomes.filter { if case .failed = $0.outcome { true } else { false } }
        try Report.tell(refused, account, json: false) { _, _ in "" }
        if let status = pauses.compactMap(\.status).first { throw ExitCode(status.rawValue) }
    }
}
