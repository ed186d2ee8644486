import ArgumentParser
import WaxwingCore
import Waxwing

struct Invites: Action {
    static let configuration = CommandConfiguration(
        abstract: "List the invites that wait for your answer.",
        discussion: """
            Example:
              waxwing sync && waxwing invites
            """)

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let reader = try Profile.locate(profile).openReader()
        guard try reader.account() != nil else { throw Failure.notLoggedIn }
        let invites = try reader.invites().sorted { $0.createdAt < $1.createdAt }
        let names = Names(reader)
        for invite in invites {
            Console.print(try output.json ? JSON.line(InviteView(invite, names)) : InviteView.line(invite, names))
        }
        if invites.isEmpty, !output.json { Console.note("no invites here; `waxwing sync` fetches new ones") }
    }
}

/// One invite for scripts.
struct InviteView: Encodable {
    var invite: String
    var group: String
    var groupAlias: String
    var groupID: String
    var inviter: String
    var inviterID: String
    /// Unix seconds.
    var time: UInt64

    init(_ record: InviteRecord, _ names: Names) throws {
        invite = record.id.description
        group = record.groupName
        groupAlias = record.groupAlias
        groupID = record.group.description
        inviter = record.isUnasked ? "" : try names.username(record.inviter)
        inviterID = record.isUnasked ? "" : record.inviter.description
        time = record.createdAt
    }

    static func line(_ record: InviteRecord, _ names: Names) throws -> String {
        let name = record.groupName.onOneLine
        if record.isUnasked {
            return
                "the server has put you into \(name) and names no one who invited you; you are not in it until you accept"
        }
        return "\(TimeText.minute(record.createdAt))  \(try names.username(record.inviter)) invites you to \(name)"
            + "  (waxwing accept \(name))"
    }
}
