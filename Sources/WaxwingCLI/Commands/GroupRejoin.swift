import ArgumentParser
import Waxwing
import WaxwingCore

struct GroupRejoin: Action {
    static let configuration = CommandConfiguration(
        commandName: "rejoin",
        abstract: "Rejoin a group whose keys are lost or no longer work.",
        discussion: """
            The server must still list you as a member. Messages written under keys you never had stay unreadable.

            Example:
              waxwing group rejoin lunch
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open(in: surroundings)
        let group = try account.reader.theGroup(group)
        let outcomes = try await Errand(account, wait).run([.rejoin(group: group.id)])
        try Report.tell(outcomes, account, json: output.json) { _, _ in
            "back in \(group.shownName) with new keys"
        }
    }
}
