import ArgumentParser
import Synchronization
import Waxwing
import WaxwingCore

struct GroupRemove: Action {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove members from a group, or take back their invites. Only admins can.",
        discussion: """
            Someone who was invited and has not accepted yet loses the invite, no matter which admin sent it.

            Example:
              waxwing group remove lunch carol
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @Argument(help: "The usernames or ids of those to remove.")
    var users: [String]

    @OptionGroup var wait: WaitOptions
    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let ways = Ways()
        let account = try profile.open(in: surroundings) { ways.take($0) }
        let group = try account.reader.theGroup(group)
        let commands = users.map { Command.remove(group: group.id, username: $0) }
        let outcomes = try await Errand(account, wait).run(commands).map { row, outcome in
            (row: ways.final(row), outcome: outcome)
        }
        let names = Names(account.reader)
        try Report.tell(outcomes, account, json: output.json) { row, _ in
            switch row.intent {
            case .remove(let username, let user):
                "removed \(try names.of(username, user)) from \(group.shownName)"
            case .cancelInvite(let username, let user):
                "took back the invite of \(try names.of(username, user)) to \(group.shownName)"
            default: "done"
            }
        }
    }

    /// What became of the rows: whether someone is a member or only invited is known when it is their turn.
    private final class Ways: Sendable {
        private let rows = Mutex<[UInt64: OutboxRow]>([:])

        func take(_ notice: Notice) {
            switch notice {
            case .outbox(let row), .done(let row, _): rows.withLock { $0[row.order] = row }
            default: break
            }
        }

        func final(_ row: OutboxRow) -> OutboxRow { rows.withLock { $0[row.order] } ?? row }
    }
}
