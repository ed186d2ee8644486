import ArgumentParser
import Foundation
import WaxwingServer

/// What an operator asks about a server's data, and does to it.
struct Admin: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Show and change users, groups and registration tokens, whether the server runs or not.",
        discussion: """
            Example:
              waxwingd admin token create --data /var/lib/waxwing --uses 5 --days 7
              waxwingd admin user list --data /var/lib/waxwing
            """,
        subcommands: [UserCommand.self, TokenCommand.self, GroupCommand.self, UsageCommand.self])
}

/// Where the data is.
struct DataOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder with waxwing.sqlite.", valueName: "dir"))
    var data: String

    func administer(passwordCost: Int? = nil, _ body: (Administration) throws -> Void) async throws {
        var configuration = ServerConfiguration(dataDirectory: data)
        configuration.passwordCost.logN = try PasswordCostChoice.logN(passwordCost)
        let choice = configuration
        try await explained {
            let administration = try Administration(choice)
            try body(administration)
            try administration.close()
        }
    }
}

/// One line, its fields separated by tabs.
func tell(_ fields: Any...) {
    announce(fields.map { "\($0)" }.joined(separator: "\t"))
}

func date(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: Double(seconds)).ISO8601Format()
}

struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group", abstract: "List and delete groups.", subcommands: [List.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List all groups and their sizes.")
        @OptionGroup var data: DataOptions

        func run() async throws {
            try await data.administer { administration in
                tell("name", "id", "visibility", "members", "messages", "bytes")
                for group in try administration.groups() {
                    tell(
                        group.name, group.id, group.isPublic ? "public" : "private", group.members, group.messages,
                        group.bytes)
                }
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Delete a group with its messages.")
        @OptionGroup var data: DataOptions
        @Argument(help: "The group's name.") var name: String

        func run() async throws {
            try await data.administer { try $0.deleteGroup(name) }
        }
    }
}

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "List what the server stores for each user, largest first.")
    @OptionGroup var data: DataOptions

    func run() async throws {
        try await data.administer { administration in
            tell("user", "bytes", "groups", "sessions", "invites sent", "invites received", "key packages")
            for user in try administration.users().sorted(by: { $0.bytesKept > $1.bytesKept }) {
                tell(
                    user.name, user.bytesKept, user.groups, user.sessions, user.invitesSent, user.invitesReceived,
                    user.keyPackages)
            }
        }
    }
}
