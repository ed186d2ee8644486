import ArgumentParser
import ConclaveProtocol
import WaxwingCore

struct GroupRotate: GroupRequest {
    static let configuration = CommandConfiguration(
        commandName: "rotate", abstract: "Change the group's keys.",
        discussion: """
            Example:
              waxwing group rotate lunch
            """)

    @OptionGroup var options: GroupOptions

    func command(_ group: ID) -> Command { .rotate(group: group) }
    func done(_ name: String) -> String { "changed the keys of \(name)" }
}
