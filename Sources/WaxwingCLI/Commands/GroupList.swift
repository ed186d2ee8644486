import ArgumentParser
import WaxwingCore
import Waxwing

struct GroupList: Action {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List your groups, as this profile knows them.",
        discussion: """
            Example:
              waxwing group list --all
            """)

    @Flag(help: "Include groups you left or were removed from.")
    var all = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let reader = try Profile.locate(profile).openReader()
        guard try reader.account() != nil else { throw Failure.notLoggedIn }
        let waiting = try reader.outbox()
        let groups = try reader.groups().filter { all || $0.isOpen }.sorted { $0.shownName < $1.shownName }
        for group in groups {
            let count = waiting.count { $0.group == group.id }
            let members = try reader.membership(group.id).memberCount
            if output.json {
                Console.print(try JSON.line(GroupView(group, members: members, waiting: count)))
            } else {
                let alias = group.alias.isEmpty || group.name.isEmpty ? "" : "  \"\(group.alias.onOneLine)\""
                let queue = count == 0 ? "" : ", \(count) waiting"
                let people = members == 1 ? "1 member" : "\(members) members"
                Console.print("\(group.shownName)\(alias)  (\(group.shownStatus), \(people)\(queue))")
            }
        }
        if groups.isEmpty, !output.json {
            Console.note(
                "no groups; `waxwing group create NAME` makes one, `waxwing invites` lists your invites")
        }
    }
}

/// One group for scripts.
struct GroupView: Encodable {
    var name: String
    var alias: String
    var groupID: String
    var status: String
    var epoch: UInt64
    /// The last sequence number that is stored here.
    var cursor: UInt64
    var members: Int
    /// Rows of the outbox.
    var waiting: Int

    init(_ group: GroupRecord, members: Int, waiting: Int) {
        name = group.shownName
        alias = group.alias
        groupID = group.shownID
        status = "\(group.status)"
        epoch = group.epoch
        cursor = group.cursor
        self.members = members
        self.waiting = waiting
    }
}
