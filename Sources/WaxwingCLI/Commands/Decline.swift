import ArgumentParser
import Waxwing
import WaxwingCore

struct Decline: Action {
    static let configuration = CommandConfiguration(
        abstract: "Decline an invite.",
        discussion: """
            Example:
              waxwing decline lunch
            """)

    @Argument(help: "The invite's id, or its group's name.")
    var invite: String

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let account = try profile.open(in: surroundings)
        let invite = try account.reader.theInvite(invite)
        let outcomes = try await Errand(account, wait).run([.decline(invite: invite.id)])
        try Report.tell(outcomes, account, json: output.json) { _, _ in
            "declined the invite to \(invite.groupName.onOneLine)"
        }
    }
}
