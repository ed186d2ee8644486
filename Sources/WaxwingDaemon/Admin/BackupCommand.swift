import ArgumentParser
import WaxwingServer

struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Copy the database into a new file, whether the server runs or not.")
    @OptionGroup var data: DataOptions
    @Argument(help: "The file to create.") var file: String

    func run() async throws {
        try await explained { try Backup.make(of: data.data, to: file) }
    }
}

struct RestoreCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "restore", abstract: "Replace the database of a stopped server by a backup.",
        discussion: """
            Clients know what came after the backup, but the server does not. So it begins a new era of its logs: no \
            sequence number is given out twice, and clients read their groups again.
            """)
    @OptionGroup var data: DataOptions
    @Flag(help: "Move an existing database aside, to waxwing.sqlite.replaced.") var replace = false
    @Argument(help: "The backup.") var file: String

    func run() async throws {
        try await explained {
            let era = try Backup.restore(file, to: data.data, replaces: replace)
            announce("restored; the logs are in era \(era)")
        }
    }
}

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Read the whole database and report what is wrong with it.")
    @OptionGroup var data: DataOptions

    func run() async throws {
        let problems = try await explained { try DatabaseCheck.problems(in: data.data) }
        guard problems.isEmpty else {
            for problem in problems { announce(problem) }
            throw ExitCode(65)
        }
        announce("the database is sound")
    }
}
