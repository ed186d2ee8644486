import ArgumentParser
import WaxwingCore

struct GroupRemove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Take members out of a group. Only admins can.",
        discussion: """
            Example:
              waxwing group remove lunch carol
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The usernames of those who have to go.")
    var users: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try Profile.locate(profile)
        let client = try profile.open()
        let group = try client.reader.theGroup(group)
        let commands = users.map { Command.remove(group: group.id, username: $0) }
        let outcomes = try await Errand(profile, client, wait).run(commands)
        try Report.tell(outcomes, client.reader, json: output.json) { row, _ in
            guard case .remove(let username, _) = row.intent else { return "done" }
            return "removed \(username.onOneLine) from \(group.shownName)"
        }
    }
}
