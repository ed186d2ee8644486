import ArgumentParser
import Waxwing
import WaxwingCore

struct GroupRotate: Action {
    static let configuration = CommandConfiguration(
        commandName: "rotate",
        abstract: "Change the group's keys.",
        discussion: """
            Example:
              waxwing group rotate lunch
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
        let outcomes = try await Errand(account, wait).run([.rotate(group: group.id)])
        try Report.tell(outcomes, account, json: output.json) { _, _ in "changed the keys of \(group.shownName)"
        }
    }
}
