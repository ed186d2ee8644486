import ArgumentParser

struct ArchiveCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive",
        abstract: "Check archives and look into them, without importing anything.",
        discussion: """
            Needs no profile, no network and no server.

            Example:
              waxwing archive verify lunch.age lunch-2.age --identity archive.key
              waxwing archive list lunch.age --identity archive.key
              waxwing archive show lunch.age lunch --count 20 --identity archive.key
            """,
        subcommands: [ArchiveVerify.self, ArchiveList.self, ArchiveShow.self])
}
