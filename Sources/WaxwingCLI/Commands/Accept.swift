import ArgumentParser
import Waxwing
import WaxwingCore

struct Accept: Action {
    static let configuration = CommandConfiguration(
        abstract: "Accept an invite.",
        discussion: """
            Example:
              waxwing accept lunch
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
        let outcomes = try await Errand(account, wait).run([.accept(invite: invite.id)])
        try Report.tell(outcomes, account, json: output.json) { [reader = account.reader] row, _ in
            let name = invite.groupName.onOneLine
            // If the keys did not come with it, joining from outside has been queued.
            let isIn = try reader.group(row.group)?.status == .active
            return isIn ? "joined \(name)" : "accepted; the keys of \(name) come with the next sync"
        }
    }
}
