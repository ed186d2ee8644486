import ArgumentParser
import Waxwing
import WaxwingCore

struct Invite: Action {
    static let configuration = CommandConfiguration(
        abstract: "Invite people to a group.",
        discussion: """
            They become members when they accept, which may be days later.

            Example:
              waxwing invite lunch bob carol
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The usernames or ids of those to invite.")
    var users: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open(in: surroundings)
        let group = try account.reader.theGroup(group)
        let commands = users.map { Command.invite(group: group.id, username: $0) }
        let outcomes = try await Errand(account, wait).run(commands)
        let names = Names(account.reader)
        try Report.tell(outcomes, account, json: output.json) { row, _ in
            guard case .invite(let username, let user) = row.intent else { return "done" }
            return "invited \(try names.of(username, user)) to \(group.shownName)"
        }
    }
}
