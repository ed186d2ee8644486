import ArgumentParser
import ConclaveProtocol
import Waxwing
import WaxwingCore

struct GroupShow: Action {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show a group's members and the state of its keys.",
        discussion: """
            Members are read from the group's keys: how each came in, through whom, when, and whether your messages \
            may reach them. Differences from the server's list are marked. Members who see the same epoch and the same \
            epoch authenticator share the same keys, and saw the same changes.

            Example:
              waxwing group show lunch
            """)

    @Argument(help: "The group's name, alias or id.")
    var group: String

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let account = try Profile.locate(profile).open(in: surroundings, toRead: true)
        let reader = account.reader
        let group = try reader.theGroup(group)
        let view = try GroupDetailsView(group, try await account.client.details(of: group.id), reader)
        if output.json {
            Console.print(try JSON.line(view))
            return
        }
        Console.print("\(view.name)  (\(group.shownStatus), epoch \(view.epoch))")
        if let authenticator = view.epochAuthenticator {
            Console.print("epoch authenticator  \(authenticator.prefix(32))…")
        }
        for member in view.members {
            let marks = [
                member.admin ? "admin" : nil, member.inTree || view.epochAuthenticator == nil ? nil : "no keys yet",
                member.onRoster ? nil : "off the server's list",
                member.trust,
                member.way,
                member.claimedName.map { NameWords.claim($0) },
                member.held.map { "HELD: \($0)" },
            ]
            Console.print("  \(member.username)  (\(marks.compactMap { $0 }.joined(separator: ", ")))")
        }
        for user in view.invited { Console.print("  \(user)  (invited)") }
    }
}

/// A group with its members for scripts.
struct GroupDetailsView: Encodable {
    struct Person: Encodable {
        var username: String
        var userID: String
        var admin: Bool
        /// Whether they hold keys of the group.
        var inTree: Bool
        /// Whether the server lists them as a member.
        var onRoster: Bool
        var fingerprint: String?
        /// verified, seen, changed, own or unknown.
        var trust: String
        /// How they joined, through whom, and when.
        var way: String?
        /// Why messages do not reach them; absent if they do.
        var held: String?
        /// The server's current name for them, if it is another one.
        var claimedName: String?
    }

    var name: String
    var alias: String
    var groupID: String
    var status: String
    var epoch: UInt64
    var cursor: UInt64
    var epochAuthenticator: String?
    var members: [Person]
    var invited: [String]
    var invitedIDs: [String]

    init(_ group: GroupRecord, _ details: GroupDetails?, _ reader: AccountReader) throws {
        let names = Names(reader)
        name = group.shownName
        alias = group.alias
        groupID = group.shownID
        status = "\(group.status)"
        epoch = details?.epoch ?? group.epoch
        cursor = group.cursor
        epochAuthenticator = details?.epochAuthenticator
        let waiting = try reader.invited(to: group.id)
        invited = try waiting.map { try names.username($0) }
        invitedIDs = waiting.map(\.description)
        let inTree = details?.members ?? []
        let me = try reader.account()?.userID
        // A roster without ourselves has not been fetched yet; then only the tree is known.
        let membership = try reader.membership(group.id)
        let roster = Set(me.map(membership.isOnRoster) == true ? membership.roster.map(\.user) : inTree.map(\.user))
        let users = Set(inTree.map(\.user)).union(roster)
        let room = try reader.room(group.id)
        let words = MemberWords(names: names)
        members = try users.map { user in
            let leaf = room?.leaves.first { $0.user == user }
            return Person(
                username: try names.username(user), userID: user.description,
                admin: membership.roster.contains { $0.user == user && $0.isAdmin },
                inTree: inTree.contains { $0.user == user }, onRoster: roster.contains(user),
                fingerprint: inTree.first { $0.user == user }?.fingerprint,
                trust: user == me ? "own" : try reader.user(user)?.trust ?? "unknown",
                way: try leaf.map { try words.way($0) },
                held: try leaf.flatMap { $0.standing == .held || $0.standing == .untold ? try words.why($0) : nil },
                claimedName: try reader.claimedName(of: user))
        }.sorted { $0.username < $1.username }
    }
}
