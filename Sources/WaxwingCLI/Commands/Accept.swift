import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct Accept: InviteAnswer {
    static let configuration = CommandConfiguration(
        abstract: "Accept an invite.",
        discussion: """
            Example:
              waxwing accept lunch
            """)

    @OptionGroup var options: InviteOptions

    func command(_ invite: ID) -> Command { .accept(invite: invite) }

    func done(_ name: String, _ group: GroupRecord?) -> String {
        // If the keys did not come with it, joining from outside has been queued.
        group?.status == .active ? "joined \(name)" : "accepted; the keys of \(name) come with the next sync"
    }
}
