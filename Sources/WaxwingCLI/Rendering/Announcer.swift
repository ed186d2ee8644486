import ConclaveProtocol
import WaxwingCore

/// Prints what happens while a client is connected.
struct Announcer: Sendable {
    private let reader: AccountReader
    private let clock: @Sendable () -> Moment
    private let names: Names
    private let history: HistoryPrinter
    private let json: Bool
    private let tally = Tally()

    init(_ reader: AccountReader, clock: @escaping @Sendable () -> Moment, json: Bool) throws {
        self.reader = reader
        self.clock = clock
        self.json = json
        names = Names(reader)
        history = try HistoryPrinter(reader, json: json, namesGroup: true)
    }

    var news: MemberNews { history.news }

    func take(_ notice: Notice) {
        do {
            try announce(notice)
        } catch is OutputGone {
            // There is no one left to tell. What was done is on disk; the next run continues what is in progress.
            Console.leave(Console.finish(0))
        } catch {
            // This shows a copy of what is on disk. A broken store is reported by the client's next step.
            Console.note("something came that cannot be shown: \(Failure(explaining: error)?.message ?? "\(error)")")
        }
    }

    private func announce(_ notice: Notice) throws {
        switch notice {
        case .history(let group, let row):
            guard let group = try reader.group(group) else { return }
            try history.print(row, in: group)
        case .outbox(let row):
            guard case .failed(let trouble) = row.state else { return }
            let list = try OutboxList(reader, now: clock())
            let group = try reader.group(row.group)?.shownName ?? ""
            let words = try trouble.words(names)
            try say(
                Event(
                    event: "failed", group: group, outbox: row.order, reason: trouble.token, explanation: words),
                "\(group): failed: \(try list.words.what(row.intent)): \(words) (row \(row.order))")
        case .invite(let invite):
            try say(
                Event(
                    event: "invite", group: invite.groupName, invite: invite.id.description,
                    user: invite.isUnasked ? "" : names.username(invite.inviter),
                    userID: invite.isUnasked ? nil : invite.inviter.description),
                try InviteView.line(invite, names))
        case .inviteGone(let group, let id):
            let name = try names.username(id)
            let group = try reader.group(group)?.shownName ?? ""
            try say(
                Event(event: "inviteGone", group: group, user: name, userID: id.description),
                "\(group): the invite of \(name) is gone: declined, taken back by another admin, or expired")
        case .identityChanged(let user):
            let name = try names.username(user)
            try say(
                Event(event: "identityChanged", user: name, userID: user.description),
                "the identity key of \(name) has changed; compare it: waxwing trust show \(name)")
        case .nameClaimed(let user, let claimed):
            let name = try names.username(user)
            try say(
                Event(event: "nameClaimed", user: name, userID: user.description, claimedName: claimed),
                NameWords.claimed(name, claimed))
        case .link(let state):
            if let words = words(for: state) { Console.note(words) }
        case .unusableAnswer(let trouble):
            Console.note("the server's answer cannot be used: \(try trouble.words(names)); it is asked again")
        case .progress: tally.take(notice)
        case .reached(let group, let users):
            let group = try reader.group(group)?.shownName ?? ""
            for user in users {
                let name = try names.username(user)
                try say(
                    Event(event: "reached", group: group, user: name, userID: user.description),
                    "\(group): what you wrote reaches \(name) for the first time")
            }
        case .writtenElsewhere(let group):
            let group = try reader.group(group)?.shownName ?? ""
            try say(Event(event: "writtenElsewhere", group: group), "\(group): \(Tally.elsewhere)")
        case .done, .clocksDiffer, .profileMoved: break
        }
    }

    /// An event other than a row of a history, for scripts.
    private struct Event: Encodable {
        var event: String
        var group: String?
        var invite: String?
        var outbox: UInt64?
        var reason: String?
        /// The reason in words.
        var explanation: String?
        var user: String?
        var userID: String?
        /// The server's current name for them.
        var claimedName: String?
    }

    private func say(_ event: Event, _ words: String) throws {
        Console.print(json ? try JSON.line(event) : words)
        try Console.checkOutput()
    }

    private func words(for state: LinkState) -> String? {
        switch state {
        case .off: nil
        case .connecting: "connecting …"
        case .up: "connected"
        case .waiting(let until, let trouble):
            "no connection: \(trouble?.reason.onOneLine ?? "no way to the server"); next try "
                + TimeText.second(until, now: clock())
        // The command ends with it, and reports it.
        case .loginNeeded: nil
        }
    }
}
