import ArgumentParser

/// `waxwingd admin token …`
struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Manage registration tokens, for a server with --registration token.",
        subcommands: [Create.self, List.self, Revoke.self])

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Create a token and print it; it cannot be shown again.")
        @OptionGroup var data: DataOptions
        @Option(help: ArgumentHelp("How many people may register with it.", valueName: "n")) var uses: Int64 = 1
        @Option(help: ArgumentHelp("How many days it is valid; 0 for ever.", valueName: "n")) var days: Int64 = 30
        @Option(help: ArgumentHelp("What it is for.", valueName: "text")) var note = ""

        func validate() throws {
            guard (1...1_000_000).contains(uses) else { throw ValidationError("--uses takes 1 to 1000000.") }
            guard (0...36_500).contains(days) else { throw ValidationError("--days takes 0 to 36500.") }
            guard note.utf8.count <= 256 else { throw ValidationError("--note has at most 256 bytes.") }
        }

        func run() async throws {
            try await data.administer { administration in
                let made = try administration.makeToken(
                    uses: uses, expiresIn: days == 0 ? nil : days * 86_400, note: note)
                announce(made.token)
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all tokens by their numbers.")
        @OptionGroup var data: DataOptions

        func run() async throws {
            try await data.administer { administration in
                tell("number", "uses left", "uses", "expires", "note")
                for token in try administration.tokens() {
                    tell(token.number, token.usesLeft, token.uses, token.expiresAt.map(date) ?? "never", token.note)
                }
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Revoke a token.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The token's number.") var number: Int64

        func run() async throws {
            try await data.administer { try $0.revokeToken(number) }
        }
    }
}
