import ConclaveProtocol
import MLS

/// Coming back into a group from outside, by an external commit on the server's GroupInfo (RFC 9420 §12.4.3.2): when its keys are lost or dead,
/// or commits that we never saw have left the log.
extension ClientCore {
    mutating func rejoin(
        _ row: OutboxRow, _ record: GroupRecord, _ token: String, _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID else { return drop(row, &turn) }
        if !row.isByPerson, record.status == .active, let wanted = lanes[record.id].epochWanted, record.epoch >= wanted
        {
            // The log had the missing commits after all.
            lanes[record.id].epochWanted = nil
            return drop(row, &turn)
        }
        if let (_, stored) = try turn.draft.staged(record.id).first(where: {
            $0.record.purpose == .external(order: row.order)
        }) {
            let staged = try stagedCommit(stored)
            let digest = sha256(staged.message)
            let call = Endpoint.externalJoin(
                commit: staged.message, mlsGroupID: staged.groupID, group: serverID, token: token,
                idempotencyKey: key(row, digest))
            start(.commit(call, digest: digest), call.request, row, &turn)
            return .rest
        }
        let call = Endpoint.groupInfo(of: serverID, token: token)
        start(.groupInfo(call), call.request, row, &turn)
        return .rest
    }

    /// The GroupInfo has come: build the external commit on it.
    mutating func stageExternal(_ groupInfo: [UInt8], _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn)
        throws
    {
        let me = try account(turn).userID
        if try isNotBehind(groupInfo, row, record, &turn) { return }
        do {
            let summary = try MLSMessage.summary(of: groupInfo)
            // What stands in the log was not verified: after some tries the external commit is sent all the same, and the log decides.
            if row.steps < 8, let epoch = summary.epoch, epoch > 0, let tag = summary.confirmationTag {
                let tags = try turn.draft.membership(record.id).commitTags
                if let known = tags.first(where: { $0.epoch == epoch - 1 }) {
                    guard constantTimeEqual(known.tag, tag) else {
                        delay(
                            row, "the server has the GroupInfo of a dead commit; it waits for a member to refresh it",
                            &turn)
                        return
                    }
                }
                if tags.contains(where: { $0.epoch == epoch }) {
                    lanes[record.id].needsFetch = true
                    delay(row, "the server's GroupInfo is behind the log; it waits for a member to refresh it", &turn)
                    return
                }
            }
            let staged = try Group.externalCommit(
                groupInfo: groupInfo, credential: .basic(identity: me.bytes), signer: signer(turn), removePrior: true,
                crypto: crypto, entropy: entropy)
            if !record.mlsGroupID.isEmpty, staged.groupID != record.mlsGroupID {
                if isProbe(row, record) { throw MLSError(.wrongGroup, "the GroupInfo is for another group") }
                _ = fail(row, "the server's GroupInfo is for another group", &turn)
                return
            }
            if !row.isByPerson, try hasStrangers(staged, turn) {
                _ = fail(
                    row,
                    "coming back needs your word: keys of members differ from those you trust; compare them, then "
                        + "`waxwing group rejoin`", &turn)
                return
            }
            turn.draft.put(
                StagedRecord(
                    purpose: .external(order: row.order), baseEpoch: staged.baseEpoch, commit: staged.serialized()),
                for: record.id, digest: sha256(staged.message))
            var row = row
            row.state = .queued
            turn.draft.put(row)
            lanes.ask(record.id)
        } catch let error as MLSError {
            if isProbe(row, record), row.attempts >= 8 {
                // Nobody puts a better one there, and our keys may be the living ones: go on with them.
                _ = drop(row, &turn)
                return
            }
            delay(row, "the server's GroupInfo cannot be used (\(error.code.rawValue))", &turn)
        }
    }

    /// Whether a row only asks if the group is ahead of us: our keys may be the living ones still.
    func isProbe(_ row: OutboxRow, _ record: GroupRecord) -> Bool {
        row.intent == .rejoin && !row.isByPerson && record.status == .active
    }

    /// Whether there is no need (yet) to come in from outside. True where that has been dealt with.
    private mutating func isNotBehind(
        _ groupInfo: [UInt8], _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws -> Bool {
        // One that cannot be read is looked at again by the caller, and refused there.
        guard isProbe(row, record), let epoch = try? MLSMessage.summary(of: groupInfo).epoch else { return false }
        guard epoch > record.epoch else {
            lanes[record.id].epochWanted = nil
            _ = drop(row, &turn)
            return true
        }
        if lanes[record.id].epochWanted != nil { return false }
        // Perhaps only since we looked at the log: what it has, it shall tell first.
        lanes[record.id].epochWanted = epoch
        lanes[record.id].needsFetch = true
        resume(row, as: row.intent, &turn)
        return true
    }

    /// Whether somebody we trust stands in that group with a key we have never seen: then it may not be the group it says it is.
    private func hasStrangers(_ staged: StagedCommit, _ turn: Turn) throws -> Bool {
        let me = try account(turn).userID
        for member in staged.next?.members ?? [] {
            guard let id = ID(member.identity), id != me, let user = try turn.draft.user(id) else { continue }
            let seen = fingerprint(member.signatureKey)
            if !user.fingerprint.isEmpty, user.fingerprint != seen, user.changedFingerprint != seen { return true }
        }
        return false
    }
}
