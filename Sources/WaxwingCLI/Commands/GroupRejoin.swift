import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct GroupRejoin: GroupRequest {
    static let configuration = CommandConfiguration(
        commandName: "rejoin", abstract: "Rejoin a group whose keys are lost or no longer work.",
        discussion: """
            The server must still list you as a member. Messages written under keys you never had stay unreadable.

            Example:
              waxwing group rejoin lunch
            """)

    @OptionGroup var options: GroupOptions

    func command(_ group: ID) -> Command { .rejoin(group: group) }
    func done(_ name: String) -> String { "back in \(name) with new keys" }
}
