import ArgumentParser

struct GroupCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "group",
        abstract: "Create, show and change groups.",
        discussion: """
            Example:
              waxwing group create lunch
              waxwing group show lunch
            """,
        subcommands: [
            GroupCreate.self, GroupList.self, GroupShow.self, GroupRotate.self, GroupRemove.self, GroupLeave.self,
            GroupRejoin.self,
        ])
}
