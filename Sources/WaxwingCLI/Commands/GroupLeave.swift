import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct GroupLeave: GroupRequest {
    static let configuration = CommandConfiguration(
        commandName: "leave", abstract: "Leave a group. Its history stays readable here.",
        discussion: """
            Example:
              waxwing group leave lunch
            """)

    @OptionGroup var options: GroupOptions

    func command(_ group: ID) -> Command { .leave(group: group) }
    func done(_ name: String) -> String { "left \(name)" }
}
