import ArgumentParser
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
        let client = try profile.open()
        let group = try client.reader.theGroup(group)
        let outcomes = try await Errand(profile, client, wait).run([.leave(group: group.id)])
        try Report.tell(outcomes, client.reader, json: output.json) { _, _ in "left \(group.shownName)" }
    }
}
