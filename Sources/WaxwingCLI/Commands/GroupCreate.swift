import ArgumentParser
import Waxwing
import WaxwingCore

struct GroupCreate: Action {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a group with you as its only member.",
        discussion: """
            Example:
              waxwing group create lunch --alias "Lunch at noon"
            """)

    @Argument(help: "The group's name on the server: letters, digits and underscores.")
    var name: String

    @Option(help: "A name to show instead.")
    var alias = ""

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open(in: surroundings)
        let outcomes = try await Errand(account, wait).run([.createGroup(name: name, alias: alias)])
        try Report.tell(outcomes, account, json: output.json) { _, _ in "created \(name)" }
    }
}
