import ConclaveProtocol
import WaxwingCore

/// Why a row waits or has failed.
struct Why {
    /// For programs; it keeps its meaning.
    let token: String
    let words: String

    init(_ token: String, _ words: String) {
        self.token = token
        self.words = words
    }
}

/// Describes outbox rows: what they are, their state, why they wait and what would release them.
struct OutboxWords {
    let names: Names
    /// The profile's trouble with the server, if there is any.
    let link: LinkRecord?
    /// False after a logout, or after the server ended the session.
    let isLoggedIn: Bool
    let now: Moment

    func what(_ intent: Intent) throws -> String { try Self.what(intent, names) }

    static func what(_ intent: Intent, _ names: Names) throws -> String {
        switch intent {
        case .message(let text, _): return "message \"\(text.shortened(to: 40))\""
        case .create(let name, _): return "create the group \(name.onOneLine)"
        case .rotate: return "change the keys"
        case .invite(let username, let user): return "invite \(try names.of(username, user))"
        case .renewInvite(let user): return "renew the invite of \(try names.username(user))"
        case .remove(let username, let user): return "remove \(try names.of(username, user))"
        case .cancelInvite(let username, let user): return "take back the invite of \(try names.of(username, user))"
        case .evict(let user): return "take out \(try names.username(user)), who is no longer on the server's list"
        case .leave: return "leave the group"
        case .rejoin: return "come back with new keys"
        case .accept: return "accept the invite"
        case .decline: return "decline the invite"
        case .vouch: return "vouch for members you let in"
        case .refreshGroupInfo: return "put the group's current state on the server"
        }
    }

    static func state(_ row: OutboxRow) -> String {
        switch row.state {
        case .queued: "queued"
        case .sending: "sending"
        case .unconfirmed: "unconfirmed"
        case .failed: "failed"
        case .held: "held"
        }
    }

    /// Why the row is still there.
    ///
    /// - Parameters:
    ///   - group: the row's group.
    ///   - ahead: the first row of the same group that has to be done before it.
    ///   - heldBy: whom it is held for, and why.
    func why(_ row: OutboxRow, in group: GroupRecord?, ahead: OutboxRow?, heldBy: String) throws -> Why {
        if case .failed(let trouble) = row.state {
            return Why(trouble.token, "failed: \(try trouble.words(names))")
        }
        if row.state == .held { return Why("held", heldBy.isEmpty ? "someone in the group is not accepted" : heldBy) }
        if !isLoggedIn { return Why("signedOut", "no one is logged in") }
        if let why = try whyTheServer() { return why }
        if let ahead { return Why("behindAnother", "row \(ahead.order) of the same group comes first") }
        if let trouble = row.trouble {
            return Why(
                trouble.token, try trouble.words(names) + (turn(of: row).map { "; next try \($0)" } ?? ""))
        }
        if let turn = turn(of: row) { return Why("putOff", "waits until \(turn)") }
        if group?.status == .creating, !row.isCreation {
            return Why(Trouble.groupNotCreated.token, Trouble.groupNotCreated.words)
        }
        switch row.state {
        case .sending: return Why("sending", "a request for it is under way")
        case .unconfirmed:
            return Why(
                "unconfirmed", "it went out and no answer came; the group's log will tell whether it arrived")
        default: return Why("notTried", "it has not been tried yet")
        }
    }

    /// Why nothing is asked of the server now; nil if nothing is in the way.
    private func whyTheServer() throws -> Why? {
        guard let link, let trouble = link.trouble else { return nil }
        if let hold = link.hold(of: link.server, now) {
            return Why(
                trouble.token,
                "\(try trouble.words(names)); next try not before \(TimeText.second(hold.until, now: now))")
        }
        if link.kind == .sessionOver { return nil }
        let tries = link.kind == .noWay && link.failures > 1 ? ", \(link.failures) tries" : ""
        return Why(
            trouble.token, "\(try trouble.words(names)) (since \(TimeText.second(link.since, now: now.wall))\(tries))")
    }

    /// When a row that is put off will be tried again; nil if it may be tried at once.
    private func turn(of row: OutboxRow) -> String? {
        guard let notBefore = row.notBefore, !notBefore.isDue(now) else { return nil }
        return TimeText.second(notBefore, now: now)
    }

    /// What would release the row.
    func remedy(_ row: OutboxRow) -> String {
        if row.state == .held { return "waxwing trust list shows what frees it" }
        if row.isFailed { return "waxwing outbox retry \(row.order), or waxwing outbox discard \(row.order)" }
        if !isLoggedIn { return "waxwing login" }
        return "it goes out with the next sync"
    }
}

extension OutboxRow {
    fileprivate var isCreation: Bool {
        if case .create = intent { return true }
        return false
    }

    /// Something the client does by itself, without being asked.
    var isHousekeeping: Bool {
        switch intent {
        case .renewInvite, .evict, .refreshGroupInfo, .vouch: true
        default: false
        }
    }
}
