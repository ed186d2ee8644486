import ConclaveProtocol
import WaxwingCore

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
        case .evict(let user): return "take out \(try names.username(user)), who is off the server's list"
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
    func why(_ row: OutboxRow, in group: GroupRecord?, ahead: OutboxRow?, heldBy: String) -> String {
        if case .failed(let reason) = row.state { return "failed: \(reason.asClause)" }
        if row.state == .held { return heldBy.isEmpty ? "somebody in the group is not accepted" : heldBy }
        if !isLoggedIn { return "nobody is logged in" }
        if let link, let hold = link.hold(of: link.server, now) {
            return "\(hold.trouble.reason.asClause); next try not before \(TimeText.second(hold.until, now: now))"
        }
        if let link, !link.trouble.isEmpty, link.kind != .sessionOver {
            let tries = link.kind == .noWay && link.failures > 1 ? ", \(link.failures) tries" : ""
            return "\(link.trouble.asClause) (since \(TimeText.second(link.since, now: now.wall))\(tries))"
        }
        if let ahead { return "row \(ahead.order) of the same group comes first" }
        if !row.trouble.isEmpty {
            return row.trouble.asClause + (turn(of: row).map { "; next try \($0)" } ?? "")
        }
        if let turn = turn(of: row) { return "waits until \(turn)" }
        if group?.status == .creating, !row.isCreation { return "the group is not created yet" }
        switch row.state {
        case .sending: return "a request for it is under way"
        case .unconfirmed: return "it went out and no answer came; the group's log will tell whether it arrived"
        default: return "nothing has been tried yet"
        }
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
