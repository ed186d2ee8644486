import ArgumentParser
import Waxwing
import WaxwingCore

struct OutboxDiscard: Action {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Discard rows of the outbox, with their text.",
        discussion: """
            Example:
              waxwing outbox discard 7
            """)

    @Argument(help: ArgumentHelp("The rows' numbers.", valueName: "number"))
    var numbers: [UInt64]

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings)
        for order in numbers {
            try await account.client.perform(.discard(order: order)) { reader in
                try !reader.outbox().contains { $0.order == order }
            }
            Console.print(output.json ? try JSON.line(DiscardView(discarded: order)) : "discarded row \(order)")
        }
    }
}

/// A discarded row, as JSON.
private struct DiscardView: Encodable {
    var discarded: UInt64
}
