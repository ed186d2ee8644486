import ArgumentParser
import Testing

@testable import WaxwingCLI

struct CommandLineTests {
    private static func all(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { all($0) }
    }

    @Test func helpOfEveryCommandHasAnExample() {
        let commands = Self.all(WaxwingCommand.self)
        #expect(commands.count > 20)
        for command in commands {
            let help = command.configuration.discussion
            #expect(help.contains("Example:\n  waxwing ") || help.contains("| waxwing "), "\(command)")
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
    }

    @Test func noCommandTakesAPasswordAsAnArgument() {
        for command in Self.all(WaxwingCommand.self) {
            let help = WaxwingCommand.helpMessage(for: command)
            #expect(!help.contains("--password <") && !help.contains("--token <"), "\(command)")
        }
    }

    @Test(arguments: [
        ["read", "lunch", "--last", "1", "--all"], ["read", "lunch", "--last", "-1"], ["outbox", "retry"],
        ["outbox", "retry", "1", "--all"], ["send", "lunch", "text", "--wait", "-1"], ["send"], ["nonsense"],
        ["login", "alice", "--password-fd", "3", "--password-file", "f"], ["invite", "lunch"],
    ])
    func contradictionsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try WaxwingCommand.parseAsRoot(arguments) }
    }

    @Test func readShowsFiftyLinesUnlessToldOtherwise() throws {
        let read = try #require(try WaxwingCommand.parseAsRoot(["read", "lunch", "--profile", "work"]) as? Read)
        #expect(read.last == nil && !read.all && read.since == nil)
        #expect(read.profile.name == "work")
        let since = try #require(try WaxwingCommand.parseAsRoot(["read", "lunch", "--since", "7"]) as? Read)
        #expect(since.since == LogPlace(argument: "7") && since.since?.sequence == 7 && since.since?.era == nil)
        let era = try #require(try WaxwingCommand.parseAsRoot(["read", "lunch", "--since", "2:7"]) as? Read)
        #expect(era.since?.sequence == 7 && era.since?.era == 2)
        for wrong in ["", ":", "1:", ":1", "a", "1:2:3", "-1", "4294967296:1"] {
            #expect(LogPlace(argument: wrong) == nil, "\(wrong)")
        }
    }

    /// The parser would complain about an option instead.
    @Test(arguments: [
        (["frobnicate"], "'frobnicate'", ""), (["frobnicate", "--profile", "x"], "'frobnicate'", ""),
        (["--profile", "x", "frobnicate"], "'frobnicate'", ""), (["sned", "lunch", "hi"], "'sned'", "`waxwing send`"),
        (["rotate", "lunch"], "'rotate'", "`waxwing group rotate`"),
        (["outbox", "lst"], "'outbox lst'", "`waxwing outbox list`"),
        (["--json", "group", "sho", "lunch"], "'group sho'", "`waxwing group show`"), (["help", "sync", "x"], "", ""),
        (["help", "snyc"], "'snyc'", "`waxwing sync`"), (["--profile=x"], "", ""), ([""], "''", ""),
    ])
    func aCommandThatDoesNotExistIsCalledThat(arguments: [String], word: String, near: String) throws {
        if arguments == ["help", "sync", "x"] {
            #expect(try CommandWords.arranged(arguments) == arguments)
            return
        }
        let failure = #expect(throws: Failure.self) { try CommandWords.arranged(arguments) }
        #expect(failure?.status == .usage)
        let said = failure?.message ?? ""
        #expect(said == (word.isEmpty ? "the command is missing" : "unknown command \(word)"))
        #expect(failure?.hint.contains("did you mean") == !near.isEmpty)
        #expect(near.isEmpty || failure?.hint.contains(near) == true)
    }

    @Test(arguments: [
        (["--profile", "x", "group", "list"], ["group", "list", "--profile", "x"]),
        (
            ["--json", "--profile=x", "send", "lunch", "--", "--json"],
            ["send", "--json", "--profile=x", "lunch", "--", "--json"]
        ),
        (["outbox", "--all"], ["outbox", "--all"]), (["--help"], ["--help"]), ([], []),
        (["--last", "3", "read"], ["--last", "3", "read"]), (["--profile"], ["--profile"]),
    ])
    func optionsMayStandInFrontOfTheCommand(arguments: [String], expected: [String]) throws {
        #expect(try CommandWords.arranged(arguments) == expected)
    }

    @Test func failuresHaveAFormForScripts() throws {
        let line = try JSON.line(FailureView(Failure(.unknownName, "no such \"thing\"", hint: "look")))
        #expect(line == #"{"error":{"code":"unknownName","exit":6,"hint":"look","message":"no such \"thing\""}}"#)
        #expect(try !JSON.line(FailureView(Failure(.other, "x"))).contains("hint"))
        #expect(
            CommandWords.wantJSON(["send", "a", "--json"]) && !CommandWords.wantJSON(["send", "a", "--", "--json"]))
    }
}
