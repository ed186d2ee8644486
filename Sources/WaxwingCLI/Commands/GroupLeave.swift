import ArgumentParser
import Waxwing
import WaxwingCore

struct GroupLeave: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "leave",
        abstract: "Leave a group. Its history stays readable here.",
        discussion: """
            Example:
              waxwing group leave lunch
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open()
        let group = try account.reader.theGroup(group)
        let outcomes = try await Errand(account, wait).run([.leave(group: group.id)])
        try Report.tell(outcomes, account.reader, json: output.json) { _, _ in "left \(group.shownName)" }
    }
}
