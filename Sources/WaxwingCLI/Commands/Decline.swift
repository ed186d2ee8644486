import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct Decline: InviteAnswer {
    static let configuration = CommandConfiguration(
        abstract: "Decline an invite.",
        discussion: """
            Example:
              waxwing decline lunch
            """)

    @OptionGroup var options: InviteOptions

    func command(_ invite: ID) -> Command { .decline(invite: invite) }
    func done(_ name: String, _ group: GroupRecord?) -> String { "declined the invite to \(name)" }
}
