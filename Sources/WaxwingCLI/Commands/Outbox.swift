import ArgumentParser

struct Outbox: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show what waits to be carried out, and why.",
        discussion: """
            Example:
              waxwing outbox list
            """,
        subcommands: [OutboxListing.self, OutboxRetry.self, OutboxDiscard.self],
        defaultSubcommand: OutboxListing.self)
}
