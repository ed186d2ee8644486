import ArgumentParser
import ConclaveProtocol
import WaxwingCore
import Waxwing

struct TrustList: Action {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the members whom your messages wait for, and why.",
        discussion: """
            While someone whom you have not accepted is in a group, nothing you write there leaves. Each line says how \
            to go on.

            Example:
              waxwing trust list
              waxwing trust list lunch --json
            """)

    @Argument(help: "The group's name, alias or id; all groups if none is given.")
    var group: String?

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let profile = try Profile.locate(profile)
        let reader = try profile.openReader()
        guard try reader.account() != nil else { throw Failure.notLoggedIn }
        let groups = try group.map { [try reader.theGroup($0)] } ?? reader.groups()
        var isEmpty = true
        let news = MemberNews()
        let names = Names(reader)
        for group in groups {
            for leaf in try reader.room(group.id)?.holds ?? [] {
                isEmpty = false
                let view = try HoldView(leaf, in: group, names)
                Console.print(output.json ? try JSON.line(view) : view.text)
                news.explained(leaf, in: group.id)
            }
        }
        try await news.note(reader) { try profile.open(in: surroundings).client }
        if isEmpty, !output.json { Console.note("no one is held") }
    }
}

/// A member who holds messages back.
struct HoldView: Encodable {
    var group: String
    var groupID: String
    var username: String
    var userID: String
    /// Lower-case hex SHA-256 of the key in the leaf.
    var fingerprint: String
    /// stranger, otherKey, notTheVerifiedKey, addedByNonAdmin, addedByUnaccepted, cameUnseen, ourName or everyNewKey.
    var objection: String
    /// held; or untold, for messages that leave once it was shown.
    var standing: String
    /// Why, in words.
    var why: String
    /// Commands that release the messages; any one of them does.
    var remedies: [String]

    init(_ leaf: RoomRecord.Leaf, in group: GroupRecord, _ names: Names) throws {
        self.group = group.shownName
        groupID = group.shownID
        username = try names.username(leaf.user)
        userID = leaf.user.description
        fingerprint = leaf.fingerprint
        objection = "\(leaf.objection)"
        standing = "\(leaf.standing)"
        why = try MemberWords(names: names).why(leaf)
        let (name, group) = (try names.argument(leaf.user), group.shownName)
        if leaf.standing == .untold {
            remedies = ["waxwing sync"]
        } else if leaf.objection == .ourName {
            remedies = ["waxwing group rejoin \(group)", "waxwing group leave \(group)"]
        } else {
            remedies = [
                "waxwing trust accept \(group) \(name)", "waxwing trust verify \(name) --fingerprint <compared>",
                "waxwing group remove \(group) \(name)",
            ]
        }
    }

    var text: String {
        "\(group): \(why)\n  key \(Fingerprint.grouped(fingerprint))\n  to go on: "
            + remedies.joined(separator: ", or ")
    }
}
