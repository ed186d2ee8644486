import ArgumentParser
import ConclaveProtocol
import WaxwingCore
import Waxwing

struct OutboxListing: Action {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Explain each row: what it is, its state, and why it waits.",
        discussion: """
            Example:
              waxwing outbox list --all
            """)

    @Flag(help: "Include what the client does by itself.")
    var all = false

    @OptionGroup var profile: ProfileOptions
    @OptionGroup var output: OutputOptions

    func run(in surroundings: Surroundings) async throws {
        let reader = try Profile.locate(profile).openReader()
        guard try reader.account() != nil else { throw Failure.notLoggedIn }
        let list = try OutboxList(reader, now: surroundings.now())
        let rows = list.rows.filter { all || !$0.isHousekeeping || $0.isFailed }
        for row in rows {
            if output.json {
                Console.print(try JSON.line(OutboxView(row, list, reader)))
                continue
            }
            let group = try reader.group(row.group)?.shownName ?? ""
            let tries = row.attempts == 0 ? "" : row.attempts == 1 ? ", 1 try" : ", \(row.attempts) tries"
            Console.print(
                "\(row.order)  \(group)  \(try list.words.what(row.intent))  \(OutboxWords.state(row)) since "
                    + TimeText.minute(row.createdAt.seconds) + tries)
            Console.print("    \(try list.why(row).words) — \(list.words.remedy(row))")
        }
        if rows.isEmpty, !output.json { Console.note("nothing waits") }
    }
}

/// One row of the outbox for scripts.
struct OutboxView: Encodable {
    var outbox: UInt64
    var group: String
    var groupID: String
    /// message, create, rotate, invite, …
    var kind: String
    var what: String
    /// The text of a message.
    var text: String?
    var messageID: String?
    /// The user it is about.
    var username: String?
    var userID: String?
    /// queued, sending, unconfirmed, held or failed.
    var state: String
    /// Why it waits or has failed, for programs.
    var reason: String
    /// The same in words.
    var why: String
    var remedy: String
    /// Unix milliseconds.
    var createdAt: UInt64
    /// Unix milliseconds; absent if the row may be tried at once.
    var nextTry: UInt64?
    var attempts: UInt32

    init(_ row: OutboxRow, _ list: OutboxList, _ reader: AccountReader) throws {
        outbox = row.order
        group = try reader.group(row.group)?.shownName ?? ""
        groupID = try reader.group(row.group)?.shownID ?? row.group.description
        kind = row.intent.kind
        what = try list.words.what(row.intent)
        if case .message(let text, let id) = row.intent {
            self.text = text
            messageID = id.description
        }
        if let user = row.intent.user {
            username = try list.words.names.username(user)
            userID = user.description
        }
        state = OutboxWords.state(row)
        let reason = try list.why(row)
        (why, self.reason) = (reason.words, reason.token)
        remedy = list.words.remedy(row)
        createdAt = row.createdAt.milliseconds
        if let notBefore = row.notBefore, !notBefore.isDue(list.words.now) {
            nextTry = notBefore.wall(list.words.now).milliseconds
        }
        attempts = row.attempts
    }
}

extension Intent {
    /// The user it is about, once known.
    fileprivate var user: ID? {
        switch self {
        case .invite(_, let user), .remove(_, let user): user
        case .renewInvite(let user), .cancelInvite(_, let user), .evict(let user): user
        default: nil
        }
    }

    /// The intent's name in JSON.
    var kind: String {
        switch self {
        case .message: "message"
        case .create: "create"
        case .rotate: "rotate"
        case .invite: "invite"
        case .renewInvite: "renewInvite"
        case .remove: "remove"
        case .cancelInvite: "cancelInvite"
        case .evict: "evict"
        case .leave: "leave"
        case .rejoin: "rejoin"
        case .accept: "accept"
        case .decline: "decline"
        case .refreshGroupInfo: "refreshGroupInfo"
        case .vouch: "vouch"
        }
    }
}
