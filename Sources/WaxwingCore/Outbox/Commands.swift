import ConclaveProtocol
import MLS

/// What people ask for. Every command is carried out against the store alone: it leaves an intent, and the network
/// comes later.
extension ClientCore {
    mutating func perform(_ command: Command, _ turn: inout Turn) throws {
        switch command {
        case .signIn(let session, let serverURL): try signIn(session, serverURL, &turn)
        case .signOut:
            var account = try account(turn)
            account.token = nil
            turn.draft.put(account)
            if link.isOn { try disconnect(&turn) }
        case .createGroup(let name, let alias): try createGroup(name, alias, &turn)
        case .send(let group, let text): try queueMessage(text, to: group, &turn)
        case .rotate(let group): try queue(.rotate, in: openGroup(group, turn), &turn)
        case .invite(let group, let username):
            let (username, user) = try whom(username, turn)
            if user == (try account(turn).userID) { throw CoreError.cannotInviteYourself }
            try queue(.invite(username: username, user: user), in: openGroup(group, turn), &turn)
        case .remove(let group, let username):
            let (username, user) = try whom(username, turn)
            if user == (try account(turn).userID) {
                throw CoreError.cannotRemoveYourself
            }
            let record = try openGroup(group, turn)
            let (intent, steps) = try removal(of: username, user, in: record, &turn)
            try queue(intent, steps: steps, in: record, &turn)
        case .leave(let group): try queue(.leave, in: openGroup(group, turn), &turn)
        case .rejoin(let group): try queueRejoin(group, &turn)
        case .accept(let invite): try queueAccept(invite, &turn)
        case .decline(let invite): try queueDecline(invite, &turn)
        case .retry(let order): try retry(order, &turn)
        case .discard(let order): try discard(order, &turn)
        case .profileMoved: try profileMoved(&turn)
        case .verify(let user, let fingerprint): try verify(user, fingerprint: fingerprint, &turn)
        case .acceptMember(let group, let user, let fingerprint):
            try accept(user, fingerprint: fingerprint, in: group, &turn)
        case .toldOfMembers(let group, let told): try wereTold(told, in: group, &turn)
        case .acceptName(let user, let name): try acceptName(name, of: user, &turn)
        case .trust(let level, let group): try setTrust(level, in: group, &turn)
        case .importUsers(let users): try importUsers(users, &turn)
        case .importHistory(let piece): try importHistory(piece, &turn)
        }
    }

    private func check(_ problem: InputProblem?) throws {
        if let problem { throw CoreError.invalidInput(problem) }
    }

    private mutating func queueRejoin(_ group: ID, _ turn: inout Turn) throws {
        if var record = try turn.draft.group(group), record.status == .removed,
            try turn.draft.membership(group).isOnRoster(account(turn).userID)
        {
            // Another device of ours is in our place, or a copy: we are still a member.
            record.status = .keyless
            turn.draft.put(record)
        }
        let record = try openGroup(group, turn)
        if record.status == .creating { throw CoreError.groupBeingCreated }
        try queue(.rejoin, in: record, &turn)
    }

    private func openGroup(_ id: ID, _ turn: Turn) throws -> GroupRecord {
        _ = try account(turn)
        guard let record = try turn.draft.group(id) else { throw CoreError.unknownGroup }
        switch record.status {
        case .active, .creating, .keyless: return record
        case .removed: throw CoreError.groupClosed(.removed)
        case .left: throw CoreError.groupClosed(.left)
        case .deleted:
            throw CoreError.groupClosed(record.serverID == nil ? .neverCreated : .deleted)
        case .imported:
            throw CoreError.groupClosed(.imported)
        }
    }

    /// Puts an intent at the end of the group's queue.
    @discardableResult
    mutating func queue(
        _ intent: Intent, steps: UInt32 = 0, in group: GroupRecord, _ turn: inout Turn
    ) throws -> OutboxRow {
        var row = OutboxRow(
            order: try turn.draft.takeOrder(), group: group.id, intent: intent, isByPerson: true, createdAt: turn.now)
        row.steps = steps
        turn.draft.put(row)
        lanes.ask(group.id)
        turn.outcome = .queued(row)
        return row
    }

    /// Queues an intent of the client's own, unless it is already waiting.
    mutating func queueOnce(
        _ intent: Intent, in group: ID, notBefore: Deadline? = nil, _ turn: inout Turn
    ) throws {
        let known = try turn.draft.outbox(group).filter { $0.intent == intent }
        if known.contains(where: { !$0.isFailed }) { return }
        // It replaces one of the same kind that failed.
        for old in known where !old.isByPerson { turn.draft.deleteOutbox(old) }
        var row = OutboxRow(
            order: try turn.draft.takeOrder(), group: group, intent: intent, isByPerson: false, createdAt: turn.now)
        row.notBefore = notBefore
        turn.draft.put(row)
        lanes.ask(group)
    }

    // MARK: Account

    private mutating func signIn(_ session: Session, _ serverURL: String, _ turn: inout Turn) throws {
        if var known = try turn.draft.account() {
            guard known.userID == session.userID, known.serverURL == serverURL else {
                throw CoreError.otherAccount(username: known.username, server: known.serverURL)
            }
            known.token = session.token
            turn.draft.put(known)
            turn.outcome = .signedIn(newKey: false)
            return
        }
        let key = try crypto.generateSignatureKey(entropy)
        let fingerprint = fingerprint(key.publicKey)
        turn.draft.put(
            AccountRecord(
                serverURL: serverURL, userID: session.userID, username: session.username, token: session.token,
                signatureKey: key.raw, fingerprint: fingerprint))
        turn.draft.put(
            UserRecord(username: session.username, fingerprint: fingerprint, verified: true), for: session.userID)
        turn.outcome = .signedIn(newKey: true)
    }

    // MARK: Groups and messages

    private mutating func createGroup(_ name: String, _ alias: String, _ turn: inout Turn) throws {
        _ = try account(turn)
        try check(InputRules.problem(groupName: name))
        try check(InputRules.problem(alias: alias))
        for group in try turn.draft.groups() where group.name == name && group.isOpen {
            throw CoreError.groupNameInUse(name)
        }
        guard let id = ID(entropy.bytes(16)) else { throw CoreError.noRandomness }
        let record = GroupRecord(id: id, serverID: nil, name: name, alias: alias, status: .creating)
        turn.draft.put(record)
        try queue(.create(name: name, alias: alias), in: record, &turn)
    }

    /// Seals the text at once if there are keys: ratchet step, ciphertext, outbox row and history row are one change
    /// set.
    private mutating func queueMessage(_ text: String, to id: ID, _ turn: inout Turn) throws {
        let record = try openGroup(id, turn)
        if text.isEmpty { throw CoreError.emptyMessage }
        if text.utf8.count > ClientLimits.messageText {
            throw CoreError.messageTooLong(bytes: text.utf8.count, limit: ClientLimits.messageText)
        }
        guard let messageID = MessageID(entropy.bytes(16)) else {
            throw CoreError.noRandomness
        }
        let me = try account(turn).userID
        // Not for its effect: a message written by us must never be mistaken for another copy's.
        turn.draft.put(
            .seen, Keys.seen(id, sender: me, message: messageID), SeenRecord.row(era: 0, sequence: 0))
        var row = try queue(.message(text: text, id: messageID), in: record, &turn)
        if record.isClosed, let room = try turn.draft.room(id), !room.holds.isEmpty {
            row.state = .held
        } else if record.status == .active {
            try seal(&row, in: record, &turn)
        }
        turn.draft.put(row)
        turn.draft.putHistory(
            HistoryRow(
                sequence: nil, era: 0, sender: me, time: turn.now.seconds, content: .text(text),
                epoch: row.sealed?.epoch ?? 0, messageID: messageID,
                digest: row.sealed.map { sha256($0.ciphertext) } ?? [], outboxOrder: row.order),
            in: record)
        turn.outcome = .queued(row)
    }

    /// Seals a message under the current epoch. The ratchet step and the ciphertext go into the same change set.
    mutating func seal(_ row: inout OutboxRow, in record: GroupRecord, _ turn: inout Turn) throws {
        guard case .message(let text, let id) = row.intent else { return }
        guard var group = try takeGroup(record.id, turn) else { return }
        let ciphertext = try group.protect(
            Array(text.utf8), authenticatedData: id.bytes, signer: signer(turn), entropy: entropy)
        row.sealed = OutboxRow.Sealed(epoch: group.epoch, ciphertext: ciphertext)
        row.wasLookedFor = false
        keep(record.id, group, &turn)
        turn.draft.put(
            .seen, Keys.seen(record.id, digest: sha256(ciphertext)), SeenRecord.own(order: row.order))
    }

    // MARK: Invites to us

    private mutating func queueAccept(_ id: ID, _ turn: inout Turn) throws {
        guard let invite: InviteRecord = try turn.draft.record(.invite, id.bytes) else {
            throw CoreError.unknownInvite
        }
        var record =
            try localGroup(invite.group, turn)
            ?? GroupRecord(
                id: invite.group, serverID: invite.group, name: invite.groupName, alias: invite.groupAlias,
                status: .keyless)
        if !record.isOpen { record.status = .keyless }
        turn.draft.put(record)
        for row in try turn.draft.outbox(record.id) {
            guard case .accept = row.intent else { continue }
            askAgain(row, for: id, &turn)
            return
        }
        try queue(.accept(invite: id), in: record, &turn)
    }

    /// Accepting twice is the same as once: the waiting row stops waiting, and is for the invite that was named last.
    private mutating func askAgain(_ row: OutboxRow, for invite: ID, _ turn: inout Turn) {
        var row = row
        if row.state != .sending, lanes[row.group].acceptAnswer == nil {
            if row.isFailed || row.intent != .accept(invite: invite) {
                row.state = .queued
                row.attempts = 0
                row.steps = 0
            }
            row.intent = .accept(invite: invite)
            row.trouble = nil
            row.notBefore = nil
            turn.draft.put(row)
            lanes.wake(row.group)
        }
        turn.outcome = .queued(row)
    }

    private mutating func queueDecline(_ id: ID, _ turn: inout Turn) throws {
        guard let invite: InviteRecord = try turn.draft.record(.invite, id.bytes) else {
            throw CoreError.unknownInvite
        }
        var record =
            try localGroup(invite.group, turn)
            ?? GroupRecord(
                id: invite.group, serverID: invite.group, name: invite.groupName, alias: invite.groupAlias,
                status: .left)
        if record.status == .keyless { record.status = .left }
        turn.draft.put(record)
        try queue(.decline(invite: id), in: record, &turn)
    }

    // MARK: The outbox itself

    private func outboxRow(_ order: UInt64, _ turn: Turn) throws -> OutboxRow {
        guard let row = try turn.draft.outbox().first(where: { $0.order == order }) else {
            throw CoreError.unknownOutboxRow(order)
        }
        return row
    }

    private mutating func retry(_ order: UInt64, _ turn: inout Turn) throws {
        var row = try outboxRow(order, turn)
        if row.isFailed || row.state == .held { row.state = .queued }
        row.trouble = nil
        row.notBefore = nil
        turn.draft.put(row)
        lanes.wake(row.group)
        turn.outcome = .queued(row)
    }

    private mutating func discard(_ order: UInt64, _ turn: inout Turn) throws {
        let row = try outboxRow(order, turn)
        if row.state == .sending || row.state == .unconfirmed || row.state == .held && row.attempts > 0 {
            throw CoreError.mayHaveArrived(order)
        }
        turn.draft.deleteOutbox(row)
        turn.draft.delete(.history, Keys.pendingHistory(row.group, order: order))
        for (digest, staged) in try turn.draft.staged(row.group)
        where staged.purpose == .outbox(order: order) || staged.purpose == .external(order: order) {
            turn.draft.deleteStaged(row.group, digest: digest)
        }
        if case .create = row.intent, var record = try turn.draft.group(row.group), record.status == .creating {
            var group = OpenGroup(record: record, state: nil)
            try closeGroup(&group, as: .neverCreated, &turn)
            record = group.record
            turn.draft.put(record)
        }
        lanes.ask(row.group)
    }
}
