import ArgumentParser
import Testing

@testable import WaxwingCLI

/// What a recording may ask for, whoever made it.
struct ReplayRulesTests {
    private static func leaves(
        _ command: any ParsableCommand.Type, _ path: [String] = []
    ) -> [(path: [String], type: any ParsableCommand.Type)] {
        let subcommands = command.configuration.subcommands
        if subcommands.isEmpty { return [(path, command)] }
        return subcommands.flatMap { leaves($0, path + [$0._commandName]) }
    }

    /// A new command has to be on one of the two lists before this passes.
    @Test func everyCommandIsDecidedOn() {
        let refused = [
            "export", "import", "archive verify", "archive list", "archive show", "keygen", "store convert", "record",
            "replay", "fixture inspect", "fixture verify", "fixture redact", "fixture diff",
        ]
        let left = Self.leaves(WaxwingCommand.self).filter { !($0.type is any Replayable.Type) }
        #expect(left.map { $0.path.joined(separator: " ") } == refused)
    }

    @Test(arguments: [
        "keygen", "keygen --to /tmp/key", "keygen --to=/tmp/key", "--json keygen --to /tmp/key",
        "export --all --to /tmp/x --recipient age1", "import /tmp/x", "archive show /tmp/x", "store convert files",
        "replay /tmp/x --into /tmp/y", "record /tmp/x -- sync", "fixture redact a --to b", "frobnicate", "--help",
        "--version", "help send", "--generate-completion-script bash", "read room --follow",
    ])
    func whatWorksOnMoreThanAProfileIsRefused(line: String) throws {
        let refusal = try #require(ReplayRules.refusal(of: line.split(separator: " ").map(String.init)))
        #expect(refusal.contains(line.split(separator: " ").last ?? ""), "\(refusal)")
    }

    @Test(arguments: ["../x", "a/b", "/tmp/x", ".hidden", "", "..", "a\0b"])
    func aProfileIsNamedPlainly(name: String) throws {
        for words in [["sync", "--profile", name], ["sync", "--profile=" + name], ["--profile=" + name, "sync"]] {
            #expect(ReplayRules.refusal(of: words)?.contains("--profile") == true, "\(words)")
        }
        #expect(ReplayRules.refusal(of: ["sync", "--profile", "alice-2"]) == nil)
    }

    /// Each option of each command that is carried out has to be known here, so that someone thinks about a new one.
    @Test func everyOptionOfWhatIsCarriedOutIsDecidedOn() throws {
        let values = [
            "--profile": "p", "--server": "host", "--alias": "a", "--wait": "1", "--last": "1", "--since": "1",
            "--fingerprint": "ab", "--group": "x",
        ]
        let flags: Set = ["--json", "--queue", "--lines", "--all", "--now", "--insecure-http", "--help", "--version"]
        let refused = [
            "--transport": "replay:/tmp/x", "--ca-file": "/tmp/x", "--proxy": "http://p", "--token-header": "X",
            "--store": "files", "--password-file": "/tmp/x", "--password-fd": "3", "--registration-token-file": "/x",
        ]
        // What a command needs besides its options.
        let words = [
            "register": ["me"], "accept": ["x"], "decline": ["x"], "group create": ["x"], "group leave": ["x"],
            "group rejoin": ["x"], "group remove": ["x", "y"], "group rotate": ["x"], "group show": ["x"],
            "invite": ["x", "y"], "outbox discard": ["1"], "outbox retry": ["1"], "send": ["x"], "read": ["x"],
            "trust accept": ["x", "y"], "trust rename": ["x"], "trust verify": ["x", "--fingerprint", "ab"],
        ]
        for (path, type) in Self.leaves(WaxwingCommand.self) where type is any Replayable.Type {
            let given = path + (words[path.joined(separator: " ")] ?? [])
            #expect(ReplayRules.refusal(of: given) == nil, "\(given)")
            let help = WaxwingCommand.helpMessage(for: type)
            let options = Set(help.matches(of: /--[a-z][a-z-]*/).map { String($0.output) })
            for option in options {
                if let value = refused[option], help.contains("\(option) <") {
                    for spelled in [[option, value], [option + "=" + value]] {
                        let refusal = ReplayRules.refusal(of: given + spelled)
                        #expect(refusal?.contains(option) == true, "\(given) \(spelled): \(refusal ?? "taken")")
                    }
                } else if option == "--follow" {
                    #expect(ReplayRules.refusal(of: given + [option]) != nil)
                } else {
                    #expect(values[option] != nil || flags.contains(option), "\(option) of \(path)")
                }
            }
        }
    }

    @Test func ofATokenFileOnlyThatThereWasOneIsTaken() {
        #expect(ReplayRules.refusal(of: ["register", "me", "--registration-token-file", "-"]) == nil)
        #expect(ReplayRules.refusal(of: []) != nil)
        // The words of a message are not options.
        #expect(ReplayRules.refusal(of: ["send", "room", "--", "--to"]) == nil)
    }
}
