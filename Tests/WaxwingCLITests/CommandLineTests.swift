import ArgumentParser
import Testing

@testable import WaxwingCLI

struct CommandLineTests {
    private static func all(_ command: any ParsableCommand.Type) -> [any ParsableCommand.Type] {
        [command] + command.configuration.subcommands.flatMap { all($0) }
    }

    @Test func helpOfEveryCommandHasAnExample() {
        let commands = Self.all(Waxwing.self)
        #expect(commands.count > 20)
        for command in commands {
            let help = command.configuration.discussion
            #expect(help.contains("Example:\n  waxwing ") || help.contains("| waxwing "), "\(command)")
            #expect(!command.configuration.abstract.isEmpty, "\(command)")
        }
    }

    @Test func noCommandTakesAPasswordAsAnArgument() {
        for command in Self.all(Waxwing.self) {
            let help = Waxwing.helpMessage(for: command)
            #expect(!help.contains("--password <") && !help.contains("--token <"), "\(command)")
        }
    }

    @Test(arguments: [
        ["read", "lunch", "--last", "1", "--all"], ["read", "lunch", "--last", "-1"], ["outbox", "retry"],
        ["outbox", "retry", "1", "--all"], ["send", "lunch", "text", "--wait", "-1"], ["send"], ["nonsense"],
        ["login", "alice", "--password-fd", "3", "--password-file", "f"], ["invite", "lunch"],
    ])
    func contradictionsAreRefused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Waxwing.parseAsRoot(arguments) }
    }

    @Test func readShowsFiftyLinesUnlessToldOtherwise() throws {
        let read = try #require(try Waxwing.parseAsRoot(["read", "lunch", "--profile", "work"]) as? Read)
        #expect(read.last == nil && !read.all && read.since == nil)
        #expect(read.profile.name == "work")
        let since = try #require(try Waxwing.parseAsRoot(["read", "lunch", "--since", "7"]) as? Read)
        #expect(since.since == 7)
    }
}
