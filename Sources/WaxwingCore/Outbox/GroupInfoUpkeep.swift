import ConclaveProtocol
import MLS

/// Makes sure that the server holds the GroupInfo of the living state. An external commit brings none, and a dead
/// commit leaves its own behind: anyone who joined by that would be on a branch of their own. Every member who is
/// online looks after it: the first one whose turn it is finds it wrong, and all others find it right.
extension ClientCore {
    /// Has the server's GroupInfo compared with our state, and replaced if it is wrong.
    ///
    /// - Parameters:
    ///   - atOnce: whether not to leave others the time to do it.
    ///   - isTold: whether to put ours there in any case: the server may have counted a commit that was not valid.
    mutating func lookAfterGroupInfo(
        of group: ID, atOnce: Bool = false, isTold: Bool = false, _ turn: inout Turn
    ) throws {
        if lanes[group].upkeepRefused, !isTold { return }
        if var row = try turn.draft.outbox(group).first(where: { $0.intent == .refreshGroupInfo && !$0.isFailed }) {
            let isLate = atOnce && !row.notBefore.isDue(turn.moment)
            guard row.state != .sending, isLate || isTold && !row.isTold else { return }
            if atOnce { row.notBefore = nil }
            row.isTold = row.isTold || isTold
            turn.draft.put(row)
            lanes.wake(group)
            return
        }
        var wait: UInt64 = 0
        if link.live, !atOnce {
            let me = try account(turn).userID
            let rank = try turn.draft.membership(group).tree.firstIndex(of: me) ?? 0
            let chance = UInt64(entropy.bytes(1)[0])
            wait = UInt64(min(rank, ClientLimits.upkeepRanks)) * ClientLimits.upkeepStagger
            wait += rank == 0 ? 0 : ClientLimits.upkeepStagger * chance / 0xFF
        }
        let ourTurn = wait > 0 ? turn.deadline(afterMilliseconds: wait) : nil
        try queueOnce(.refreshGroupInfo, in: group, notBefore: ourTurn, &turn)
        if isTold, var row = try turn.draft.outbox(group).first(where: { $0.intent == .refreshGroupInfo }) {
            row.isTold = true
            turn.draft.put(row)
        }
    }

    /// Something does not fit the branch we joined by. Anyone can make it look so, so this asks only a few times.
    mutating func doubt(_ record: GroupRecord, _ turn: inout Turn) throws {
        guard record.entry != .proven, lanes[record.id].doubts < ClientLimits.looksForParked else { return }
        lanes[record.id].doubts += 1
        try lookAfterGroupInfo(of: record.id, atOnce: true, &turn)
    }

    mutating func refreshGroupInfo(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard record.status == .active, let serverID = record.serverID else { return drop(row, &turn) }
        guard row.isTold else {
            let call = Endpoint.groupInfo(of: serverID, token: token)
            start(.compareGroupInfo(call), call.request, row, &turn)
            return .rest
        }
        return try putGroupInfo(row, record, &turn) ? .rest : drop(row, &turn)
    }

    /// Puts the GroupInfo of our state on the server. Returns false if none can be made.
    mutating func putGroupInfo(_ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn) throws -> Bool {
        let signer = try signer(turn)
        guard let serverID = record.serverID, let token = try account(turn).token,
            let groupInfo = try withGroup(record.id, turn, { try $0.groupInfo(signer: signer) })
        else { return false }
        let call = Endpoint.uploadCommit([], groupInfo: groupInfo, group: serverID, token: token)
        start(.refreshGroupInfo(call), call.request, row, &turn)
        return true
    }

    /// The server's GroupInfo has come, to be compared with our state; nil if it has none.
    mutating func compareGroupInfo(
        _ groupInfo: [UInt8]?, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        let standing = try groupInfo.map { try self.standing(of: $0, record, hasEvidence: false, &turn) } ?? .ours
        var row = row
        switch standing {
        case .agreed, .ours:
            if try turn.draft.group(record.id)?.entry == .doubtful, try !isBehindOurs(groupInfo, record, turn) {
                delay(row, .branchDoubtful, &turn)
            } else if try standing.isOurs || awaitsOurWord(groupInfo, record, turn) {
                row.state = .queued
                row.isTold = true
                turn.draft.put(row)
            } else {
                _ = drop(row, &turn)
            }
        case .unsettled:
            row.state = .queued
            turn.draft.put(row)
        case .ahead:
            _ = drop(row, &turn)
            try queueOnce(.rejoin, in: record.id, &turn)
        case .lost, .replaced:
            _ = drop(row, &turn)
            var group = OpenGroup(record: record, state: nil)
            try leaveDeadBranch(&group, from: standing.split, &turn)
            turn.draft.put(group.record)
        }
    }

    /// Whether the GroupInfo of our state is from the one who has just joined from outside, and who may be in doubt of
    /// it: a GroupInfo of ours shows them that another member goes by it, too.
    private func awaitsOurWord(_ groupInfo: [UInt8]?, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard record.entry == .proven, record.epoch > 0, let newcomer = record.lastCommitter,
            try newcomer != account(turn).userID, let groupInfo
        else { return false }
        // Looked at first: verifying a GroupInfo takes time in proportion to the group.
        let fromOutside = try turn.draft.membership(record.id).log[record.epoch - 1].filter { $0.author == nil }
        // A GroupInfo that does not verify is no one's word.
        guard !fromOutside.isEmpty, let view = try? OutsideView(groupInfo: groupInfo, crypto: crypto) else {
            return false
        }
        return view.signer.identity == newcomer.bytes && fromOutside.contains { $0.tag == view.confirmationTag }
    }

    // MARK: In doubt

    /// Whether the server still gives out the very GroupInfo that we joined by: others who join by it collide with us,
    /// and if they join by ours, they come after us. Whichever branch it is of, we are on the same.
    private func isBehindOurs(_ groupInfo: [UInt8]?, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard let groupInfo, record.epoch == record.joinedEpoch,
            // A GroupInfo that does not verify is not ours.
            let view = try? OutsideView(groupInfo: groupInfo, crypto: crypto),
            view.groupID == record.mlsGroupID, view.epoch + 1 == record.joinedEpoch
        else { return false }
        return try hasWitness(to: view, in: record.id, turn)
    }

    /// Asks again after a while whether our branch lives.
    mutating func askLater(in group: ID, _ turn: inout Turn) throws {
        try queueOnce(.refreshGroupInfo, in: group, &turn)
        let look = try turn.draft.outbox(group).first { $0.intent == .refreshGroupInfo && !$0.isFailed }
        if let look { delay(look, .branchDoubtful, &turn) }
    }

    /// While it is not known whether our branch lives, nothing is sent on it: perhaps no one would ever read that. The
    /// only question asked is whether it lives.
    ///
    /// - Returns: nil for what may be done anyway.
    mutating func whileInDoubt(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep? {
        switch row.intent {
        case .rejoin, .leave, .accept, .decline, .create, .cancelInvite: return nil
        case .message, .rotate, .invite, .renewInvite, .remove, .evict, .refreshGroupInfo, .vouch: break
        }
        let rows = try turn.draft.outbox(record.id)
        for var waiting in rows
        where waiting.intent != .refreshGroupInfo && !waiting.isFailed && waiting.trouble != .branchDoubtful {
            waiting.trouble = .branchDoubtful
            turn.draft.put(waiting)
        }
        guard let look = rows.first(where: { $0.intent == .refreshGroupInfo && !$0.isFailed }) else {
            try queueOnce(.refreshGroupInfo, in: record.id, &turn)
            return .again
        }
        if let notBefore = look.notBefore, !notBefore.isDue(turn.moment) {
            lanes.sleep(record.id, until: notBefore)
            return .rest
        }
        return try refreshGroupInfo(look, record, token, &turn)
    }
}

extension OutboxRow {
    /// Of a GroupInfo that is to be put on the server whatever is there. Such rows have no steps otherwise.
    var isTold: Bool {
        get { steps > 0 }
        set { steps = newValue ? 1 : 0 }
    }
}
