import Machine
import ArgumentParser

/// The command `waxwing`. Each command has a file under `Commands/`. It is handed its ``Surroundings``, and does not
/// know whether they are the machine's or a recording's.
@main
struct WaxwingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waxwing",
        abstract: "End-to-end encrypted group messages over networks that come and go.",
        discussion: """
            When a command returns, what you write is safe on this machine. It goes out as soon as the server can be \
            reached: at once, with the next `waxwing sync`, or while `waxwing watch` runs.

            Example:
              waxwing register alice --server https://chat.example.org
              waxwing group create lunch
              waxwing invite lunch bob carol
              waxwing send lunch "Noon at the fountain?"
              waxwing read lunch

            Profiles are in $WAXWING_HOME, else $XDG_DATA_HOME/waxwing, else ~/.local/share/waxwing. WAXWING_STORE \
            (sqlite, files) says how new ones are kept, WAXWING_TRANSPORT (auto, sse, poll, replay:FILE) how to reach \
            the server.

            Exit codes:
            \(ExitStatus.table)
            """,
        version: "0.1.0",
        subcommands: [
            Register.self, Login.self, Logout.self, WhoAmI.self, GroupCommand.self, Invite.self, Invites.self,
            Accept.self, Decline.self, Send.self, Read.self, Sync.self, Watch.self, Outbox.self, Trust.self,
            Export.self, Import.self, ArchiveCommand.self, Keygen.self, StoreCommand.self, RecordCommand.self,
            ReplayCommand.self, FixtureCommand.self,
        ])

    static func main() async {
        PrivateMemory.closeForRelease()
        Console.begin()
        Interrupt.arm()
        let surroundings = Surroundings.live()
        let code = await execute(nil, in: surroundings)
        Console.leave(Console.finish(surroundings.end(code)))
    }

    /// Carries out a command line. If it fails, prints the reason on standard error.
    ///
    /// - Parameter arguments: nil for those of the process.
    /// - Returns: the exit code.
    static func execute(_ arguments: [String]?, in surroundings: Surroundings) async -> Int32 {
        let given = arguments ?? Array(CommandLine.arguments.dropFirst())
        let inJSON = CommandWords.wantJSON(given)
        Console.failsInJSON.store(inJSON, ordering: .relaxed)
        do {
            var command = try parseAsRoot(CommandWords.arranged(given))
            if let action = command as? any Action {
                try await action.run(in: surroundings)
            } else {
                try command.run()
            }
            return 0
        } catch is OutputGone {
            return 0
        } catch {
            if let failure = Failure(explaining: error, clock: surroundings.now) {
                Console.tell(failure)
                return failure.status.rawValue
            }
            let code = exitCode(for: error)
            let text = fullMessage(for: error)
            if inJSON, !code.isSuccess, !text.isEmpty {
                Console.tell(Failure(parsing: message(for: error), text, code.rawValue))
                return code.rawValue
            }
            if !text.isEmpty { if code.isSuccess { Console.print(text) } else { Console.note(text) } }
            return code.rawValue
        }
    }
}
