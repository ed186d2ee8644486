import ArgumentParser

/// `waxwingd admin user …`
struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Users.",
        subcommands: [List.self, ResetPassword.self, Disable.self, Enable.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists all users.")
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
            abstract: "Gives a user a new password, which is printed, and ends their sessions.")
        @OptionGroup var data: DataOptions
        @Option(help: ArgumentHelp("As for the server.", valueName: "n")) var passwordCost: Int?
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer(passwordCost: passwordCost) { announce(try $0.resetPassword(of: name)) }
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends a user's sessions and lets them log in no more; what they sent stays.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.setDisabled(true, name) }
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lets a disabled user log in again.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.setDisabled(false, name) }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes an account, as its owner could; what they sent stays in the logs.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The user's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.deleteUser(name) }
        }
    }
}
