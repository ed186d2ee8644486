import ArgumentParser
import FixtureTransport

struct FixtureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fixture",
        abstract: "Look at recordings.",
        discussion: """
            Example:
              waxwing fixture inspect talk.jsonl
              waxwing fixture verify fixtures/*.jsonl
              waxwing fixture redact talk.jsonl --to shared.jsonl
              waxwing fixture diff old.jsonl new.jsonl
            """,
        subcommands: [FixtureInspect.self, FixtureVerify.self, FixtureRedact.self, FixtureDiff.self])

    /// Reads a recording.
    static func open(_ path: String) throws(Failure) -> Fixture {
        do { return try Fixture(path: path) } catch { throw Failure(.usage, "\(path): \(error)") }
    }
}

struct FixtureInspect: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show a recording in readable lines.",
        discussion: """
            Example:
              waxwing fixture inspect talk.jsonl --bodies
            """)

    @Argument(help: "The recording.")
    var file: String

    @Flag(help: "Show what is in the bodies of requests and answers.")
    var bodies = false

    @Flag(help: "Show the draws of clock and entropy too.")
    var draws = false

    func run() throws {
        for line in try FixtureCommand.open(file).description(withBodies: bodies, withDraws: draws) {
            Console.print(line.onOneLine)
        }
    }
}

struct FixtureVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Check that recordings are whole and in order, and that no token or password is in them.",
        discussion: """
            To check that a client does the same again, use `waxwing replay`.

            Example:
              waxwing fixture verify fixtures/*.jsonl
            """)

    @Argument(help: "The recordings.")
    var files: [String]

    func run() throws {
        for file in files {
            let fixture = try FixtureCommand.open(file)
            if let problem = fixture.problem { throw Failure(.diverged, "\(file): \(problem)") }
            Console.print("\(file): \(fixture.summary)")
        }
    }
}

struct FixtureRedact: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "redact",
        abstract: "Copy a recording without what gives away keys or messages.",
        discussion: """
            The copy lacks the draws of entropy, what was read from standard input, and message texts on command \
            lines. It can be read and compared, but not replayed.

            Example:
              waxwing fixture redact talk.jsonl --to shared.jsonl
            """)

    @Argument(help: "The recording.")
    var file: String

    @Option(help: "The copy; it must not exist yet.")
    var to: String

    func run() throws {
        let copy = try FixtureCommand.open(file).redacted()
        do { try copy.write(to: to) } catch { throw Failure(.usage, error.description) }
        Console.print("\(to): \(copy.summary)")
    }
}

struct FixtureDiff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Show where two recordings differ.",
        discussion: """
            If they differ, the exit code is 16. The first lines that differ are shown member by member.

            Example:
              waxwing fixture diff old.jsonl new.jsonl
            """)

    @Argument(help: "One recording.")
    var old: String

    @Argument(help: "The other recording.")
    var new: String

    func run() throws {
        let differences = try FixtureCommand.open(old).differences(from: FixtureCommand.open(new))
        for line in differences { Console.print(line.onOneLine) }
        if !differences.isEmpty { throw ExitCode(ExitStatus.diverged.rawValue) }
    }
}
