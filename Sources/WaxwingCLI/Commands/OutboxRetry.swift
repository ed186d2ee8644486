import ArgumentParser
import Waxwing
import WaxwingCore

struct OutboxRetry: Action {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Try rows again that were refused, or that wait for their next try.",
        discussion: """
            Example:
              waxwing outbox retry 7
              waxwing outbox retry --all
            """)

    @Argument(help: ArgumentHelp("The rows' numbers.", valueName: "number"))
    var numbers: [UInt64] = []

    @Flag(help: "All rows that were refused.")
    var all = false

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard numbers.isEmpty == all else { throw ValidationError("Give the rows' numbers, or --all.") }
    }

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open(in: surroundings)
        let orders = all ? try account.reader.outbox().filter(\.isFailed).map(\.order) : numbers
        if orders.isEmpty, !output.json { Console.note("nothing was refused") }
        let errand = Errand(account, wait)
        var rows: [OutboxRow] = []
        for order in orders {
            if case .queued(let row) = try await account.client.perform(.retry(order: order)) { rows.append(row) }
        }
        let words = try OutboxList(account.reader, now: surroundings.now()).words
        for group in Dictionary(grouping: rows, by: \.group).values.sorted(by: { $0[0].order < $1[0].order }) {
            let outcomes = try await errand.carryOut(group)
            try Report.tell(outcomes, account, json: output.json) { row, sequence in
                "done: \(try words.what(row.intent))" + (sequence.map { " (seq \($0))" } ?? "")
            }
        }
    }
}
