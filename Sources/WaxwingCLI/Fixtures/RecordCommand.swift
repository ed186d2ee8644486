import ArgumentParser
import FixtureTransport
import Waxwing

struct RecordCommand: Action {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Run a command and record what crosses the network, to replay it later.",
        discussion: """
            If the file exists, the recording continues in it, so that several commands become one recording. \
            Passwords, tokens and credentials of a proxy are left out. Record accounts made for it, not your own: all \
            keys of a session that can be replayed follow from the recording.

            Example:
              waxwing record talk.jsonl -- register alice --server http://127.0.0.1:8080 --password-file pw
              waxwing record talk.jsonl -- group create lunch
              waxwing replay talk.jsonl
            """)

    @Argument(help: "The recording.")
    var file: String

    @Flag(
        name: .customLong("no-entropy"),
        help: "Leave out random numbers: the recording gives no key away, and cannot be replayed.")
    var withoutEntropy = false

    @Argument(parsing: .postTerminator, help: "The command, after --.")
    var command: [String] = []

    func validate() throws {
        guard let first = command.first else {
            throw ValidationError("The command is missing: waxwing record FILE -- COMMAND")
        }
        if ["record", "replay", "fixture"].contains(first) { throw ValidationError("\(first) cannot be recorded.") }
        // Report now what could not be replayed later. Without entropy, nothing is recorded.
        if !withoutEntropy, let refusal = ReplayRules.refusal(of: Fixture.kept(command)) {
            throw ValidationError("This cannot be recorded: \(refusal).")
        }
    }

    func run(in surroundings: Surroundings) async throws {
        let recorder: Recorder
        do {
            recorder = try Recorder(
                path: file, program: "waxwing \(WaxwingCommand.configuration.version)", withEntropy: !withoutEntropy
            ) { error in Console.fail(Failure(.profileUnusable, error.description)) }
        } catch {
            throw Failure(.usage, error.description)
        }
        if !withoutEntropy {
            Console.note("note: \(file) will hold all keys of this session; do not share it if the account is in use")
        }
        recorder.command(command)
        let code = await WaxwingCommand.execute(command, in: surroundings.recorded(by: recorder))
        recorder.exit(code)
        throw ExitCode(code)
    }
}
