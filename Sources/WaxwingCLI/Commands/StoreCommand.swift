import ArgumentParser

struct StoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "store",
        abstract: "Show or change how a profile is kept on this machine.",
        discussion: """
            Example:
              waxwing store show
              waxwing store convert files
            """,
        subcommands: [StoreShow.self, StoreConvert.self])
}
