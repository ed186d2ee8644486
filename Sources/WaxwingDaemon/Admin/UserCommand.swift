import ArgumentParser

/// `waxwingd admin user …`
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "List and manage users.",
        subcommands: [List.self, ResetPassword.self, Disable.self, Enable.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all users.")
        @OptionGroup var data: DataOptions

        func run() async throws {
            try await data.administer { administration in
                tell("name", "id", "since", "state")
                for user in try administration.users() {
                    tell(user.name, user.id, date(user.createdAt), user.isDisabled ? "disabled" : "enabled")
                }
            }
        }
    }

    struct ResetPassword: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a user a new password, print it, and end their sessions.")
        @OptionGroup var data: DataOptions
        @Option(help: ArgumentHelp("As for the server.", valueName: "n")) var passwordCost: Int?
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer(passwordCost: passwordCost) { announce(try $0.resetPassword(of: name)) }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a user's sessions and stop them from logging in; what they sent stays.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.setDisabled(true, name) }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a disabled user log in again.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.setDisabled(false, name) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Delete an account, as its owner could; what they sent stays in the logs.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.deleteUser(name) }
        }
    }
}
