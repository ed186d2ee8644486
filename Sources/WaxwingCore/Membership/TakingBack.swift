import ConclaveProtocol
import MLS

/// Removing people who are not in the tree: a waiting invite is taken back, whoever sent it, and someone who is a
/// member only by the roster is taken off it.
///
/// If nothing of the kind is found, that is believed only once log and roster were looked at again: an invite that is
/// gone may have been accepted.
extension ClientCore {
    /// How far a row has got, in ``OutboxRow/steps``: whether an invite of the user was seen, and at which look.
    private enum Look {
        static let first: UInt32 = 0
        static let second: UInt32 = 1
        static let seen: UInt32 = 2
        static let seenAndGone: UInt32 = 3
        /// The user was a member when the removal was asked for, or since.
        static let member: UInt32 = 4
    }

    /// Whether someone who is to be removed, and is neither in the tree nor on the roster, was there before: then
    /// others were faster, or an earlier try of ours came through.
    func wasMember(_ row: OutboxRow) -> Bool { row.attempts > 0 || row.steps >= Look.member }

    /// What `remove` means for this user, as far as it is known without the network.
    mutating func removal(
        of username: String, _ user: ID?, in record: GroupRecord, _ turn: inout Turn
    ) throws -> (intent: Intent, steps: UInt32) {
        guard let user else { return (.remove(username: username, user: nil), 0) }
        let membership = try turn.draft.membership(record.id)
        if membership.tree.contains(user) || membership.isOnRoster(user) {
            return (.remove(username: username, user: user), Look.member)
        }
        let isEscrowed = try turn.draft.staged(record.id).contains { $0.record.purpose == .escrow(invitee: user) }
        let wasWanted = try withdrawInvites(of: user, in: record.id, where: { $0.state == .queued }, &turn)
        guard isEscrowed || wasWanted else { return (.remove(username: username, user: user), 0) }
        return (.cancelInvite(username: username, user: user), Look.seen)
    }

    /// Forgets what was to be done about inviting a user.
    ///
    /// - Returns: whether there was anything.
    private mutating func withdrawInvites(
        of user: ID, in group: ID, where isWithdrawn: (OutboxRow) -> Bool, _ turn: inout Turn
    ) throws -> Bool {
        var found = false
        for row in try turn.draft.outbox(group) where isWithdrawn(row) {
            switch row.intent {
            case .invite(_, user), .renewInvite(user): break
            default: continue
            }
            for (digest, staged) in try turn.draft.staged(group) where staged.purpose == .outbox(order: row.order) {
                turn.draft.deleteStaged(group, digest: digest)
            }
            turn.draft.deleteOutbox(row)
            found = true
        }
        return found
    }

    mutating func takeBackInvite(
        _ row: OutboxRow, username: String, of user: ID, _ record: GroupRecord, _ token: SessionToken,
        _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID else { return .rest }
        guard lanes.account.roundDone >= lanes[record.id].rosterWanted else {
            lanes.account.groupsStale = true
            return .askLater
        }
        let isInTree = try withGroup(record.id, turn) { $0.member(identity: user.bytes) != nil } ?? false
        if try isInTree || turn.draft.membership(record.id).isOnRoster(user) {
            resume(row, as: .remove(username: username, user: user), &turn)
            return .again
        }
        var row = row
        let wasWanted = try withdrawInvites(
            of: user, in: record.id, where: { $0.order < row.order && !$0.isFailed }, &turn)
        if wasWanted { row.steps = Look.seen }
        let call = Endpoint.groupInvites(group: serverID, token: token)
        start(.findInvite(call, user: user), call.request, row, &turn)
        return .rest
    }

    /// The group's invites have come: is there one of the user?
    mutating func invitesToTakeBack(
        _ invites: [PendingInvite], of user: ID, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        var row = row
        if invites.contains(where: { $0.invitee == user }) {
            guard let serverID = record.serverID, let token = try account(turn).token else { return }
            // On disk before the request leaves: if its answer gets lost, an invite that is gone means that the request
            // came through.
            row.steps = Look.seen
            let call = Endpoint.cancelInvite(of: user, group: serverID, token: token)
            start(.takeBack(call, user: user), call.request, row, &turn)
            return
        }
        switch row.steps {
        case Look.first, Look.seen: lookAgain(row, after: row.steps + 1, &turn)
        case Look.second:
            // What was asked for, in case someone tries it again.
            if case .cancelInvite(let username, let user) = row.intent {
                row.intent = .remove(username: username, user: user)
            }
            row.steps = Look.first
            _ = fail(row, .neitherMemberNorInvited, &turn)
        default: try inviteIsTakenBack(row, user, &turn)
        }
    }

    /// There was nothing to take back any more: an earlier try whose answer was lost did it, or the invite was
    /// answered, or it expired.
    mutating func nothingToTakeBack(_ row: OutboxRow, _ turn: inout Turn) {
        lookAgain(row, after: Look.seenAndGone, &turn)
    }

    private mutating func lookAgain(_ row: OutboxRow, after step: UInt32, _ turn: inout Turn) {
        var row = row
        row.steps = step
        row.state = .queued
        row.attempts = 0
        turn.draft.put(row)
        lanes[row.group].needsFetch = true
        lanes[row.group].rosterWanted = lanes.account.round + 1
        lanes.account.groupsStale = true
    }

    /// The commit that was escrowed must not be made again for a later epoch.
    mutating func inviteIsTakenBack(_ row: OutboxRow, _ user: ID, _ turn: inout Turn) throws {
        for (digest, staged) in try turn.draft.staged(row.group) where staged.purpose == .escrow(invitee: user) {
            turn.draft.deleteStaged(row.group, digest: digest)
        }
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
    }

    // MARK: Members only by the roster

    /// There is no leaf to remove, so the roster is all that has to change.
    mutating func removeFromRoster(
        _ user: ID, _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) -> LaneStep {
        guard let serverID = record.serverID else { return .rest }
        let call = Endpoint.removeMember(
            user, commit: [], groupInfo: [], group: serverID, token: token, idempotencyKey: key(row, user.bytes))
        start(.removeFromRoster(call, user: user), call.request, row, &turn)
        return .rest
    }

    mutating func removedFromRoster(_ user: ID, _ row: OutboxRow, _ turn: inout Turn) throws {
        var membership = try turn.draft.membership(row.group)
        membership.roster.removeAll { $0.user == user }
        turn.draft.put(membership, for: row.group)
        lanes.account.groupsStale = true
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
    }
}
