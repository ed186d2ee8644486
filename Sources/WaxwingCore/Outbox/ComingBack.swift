import ConclaveProtocol
import MLS

/// Joining a group again from outside, by an external commit on the server's GroupInfo (RFC 9420 §12.4.3.2): when its
/// keys are lost or dead, or commits that we never saw have left the log.
extension ClientCore {
    mutating func rejoin(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID else { return drop(row, &turn) }
        if !row.isByPerson, record.status == .active, let wanted = lanes[record.id].epochWanted, record.epoch >= wanted
        {
            // The log had the missing commits after all.
            lanes[record.id].epochWanted = nil
            return drop(row, &turn)
        }
        let lane = lanes[record.id]
        if !lane.hasReadLog, !lane.isRefused {
            // What is in the log decides which GroupInfo is of use.
            lanes[record.id].needsFetch = true
            return .again
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

    /// The GroupInfo has come: builds the external commit on it, if it is of the living branch.
    mutating func stageExternal(_ groupInfo: [UInt8], _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn)
        throws
    {
        var (row, record) = (row, record)
        if record.status == .active {
            let isProbe = isProbe(row, record)
            let standing = try standing(of: groupInfo, record, hasEvidence: isProbe, &turn)
            record = try turn.draft.group(record.id) ?? record
            switch standing {
            case .agreed where isProbe:
                _ = drop(row, &turn)
                return
            case .ours where isProbe:
                _ = drop(row, &turn)
                if record.entry == .doubtful {
                    try askLater(in: record.id, &turn)
                } else {
                    // This was the comparison: another one would look into the log again, find it emptied, and end
                    // here.
                    try lookAfterGroupInfo(of: record.id, isTold: !lanes[record.id].upkeepRefused, &turn)
                }
                return
            case .unsettled where isProbe:
                row.state = .queued
                turn.draft.put(row)
                return
            case .ours where row.looks == 0 && record.entry != .doubtful:
                // Someone wants new keys: the GroupInfo has to be the living group's.
                row.looks += 1
                do {
                    if try putGroupInfo(row, record, &turn) { return }
                } catch is MLSError {
                    // A group that has ended makes no new GroupInfo: join by the one that is there.
                }
            case .lost, .replaced:
                var group = OpenGroup(record: record, state: nil)
                try leaveDeadBranch(&group, from: standing.split, &turn)
                record = group.record
                turn.draft.put(record)
            case .agreed, .ours, .unsettled, .ahead: break
            }
        }
        do {
            let view = try OutsideView(groupInfo: groupInfo, crypto: crypto)
            if !record.mlsGroupID.isEmpty, view.groupID != record.mlsGroupID {
                if isProbe(row, record) { throw MLSError(.wrongGroup, "the GroupInfo is for another group") }
                _ = fail(row, .groupInfoOfAnother, &turn)
                return
            }
            let objection = try objection(to: view, record, turn)
            if let objection, row.looks < objection.patience {
                lookAgain(row, objection.trouble, &turn)
                return
            }
            // That rows of later epochs came proves nothing, since anyone can send them. Only a hole in the log does.
            let isUnproven = isProbe(row, record) && !record.hasHole
            try stage(
                groupInfo, view, isDoubtful: objection?.isSerious ?? isUnproven, isUnproven: isUnproven, row, &turn)
        } catch let error as MLSError {
            if isProbe(row, record), row.attempts >= ClientLimits.looksForGroupInfo {
                // No one puts a better one there, and our keys may be the living ones: go on with them.
                _ = drop(row, &turn)
                return
            }
            delay(row, .groupInfoUnusable(detail: error.code.rawValue), &turn)
        }
    }

    private mutating func stage(
        _ groupInfo: [UInt8], _ view: OutsideView, isDoubtful: Bool, isUnproven: Bool, _ row: OutboxRow,
        _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        let staged = try Group.externalCommit(
            groupInfo: groupInfo, credential: .basic(identity: me.bytes), signer: signer(turn), removePrior: true,
            crypto: crypto, configuration: .room, entropy: entropy)
        if let next = staged.next { try checkOneLeafEach(next) }
        if !row.isByPerson, isUnproven, try hasStrangers(staged, turn) {
            // No one asked for it, and our keys may still be the living ones. After a hole they are not: then we join,
            // and anyone who is not known keeps messages from leaving.
            _ = drop(row, &turn)
            return
        }
        let way = StagedRecord.Way(groupInfo: groupInfo, signer: ID(view.signer.identity), isDoubtful: isDoubtful)
        turn.draft.put(
            StagedRecord(
                purpose: .external(order: row.order), baseEpoch: staged.baseEpoch, commit: staged.serialized(), way: way
            ),
            for: row.group, digest: sha256(staged.message))
        var row = row
        row.state = .queued
        row.trouble = nil
        // The looks so far were not failures of the request that follows.
        row.attempts = 0
        row.looks = 0
        turn.draft.put(row)
        lanes.ask(row.group)
    }

    // MARK: What the log says about a GroupInfo

    private struct Objection {
        var trouble: Trouble
        /// How often the server is asked for a better one. What is in the log was not verified: after that we join
        /// anyway, and the log decides.
        var patience = ClientLimits.looksForGroupInfo
        /// Whether nothing may be sent before it is known that the branch lives.
        var isSerious = true
    }

    /// What in the log speaks against joining by a GroupInfo; nil if nothing does.
    private func objection(to view: OutsideView, _ record: GroupRecord, _ turn: Turn) throws -> Objection? {
        let me = try account(turn).userID
        let log = try turn.draft.membership(record.id).log
        let isAhead = record.status != .active || view.epoch > record.epoch
        let isOver = isAhead ? try isOver(view, in: record.id, turn) : view.epoch < record.epoch
        if isOver {
            return Objection(trouble: .groupInfoBehind)
        }
        switch log.fit(of: branch(of: view), isVouchedFor: view.signer.identity != me.bytes) {
        case .fits: return nil
        case .doubtful:
            return Objection(trouble: .groupSplit, patience: 1, isSerious: false)
        case .dead: return Objection(trouble: .groupInfoDead)
        }
    }

    /// A row that waits for a better GroupInfo looks at once with each new connection: others may have put one there
    /// since.
    mutating func lookAtOnce(_ group: ID, _ turn: inout Turn) throws {
        for var row in try turn.draft.comingBack(group) where row.looks > 0 && !row.notBefore.isDue(turn.moment) {
            // A look out of turn does not use up patience.
            lanes[group].nextLook = row.notBefore
            row.notBefore = nil
            turn.draft.put(row)
        }
    }

    private mutating func lookAgain(_ row: OutboxRow, _ trouble: Trouble, _ turn: inout Turn) {
        var row = row
        if let next = lanes[row.group].nextLook, !next.isDue(turn.moment) {
            lanes[row.group].nextLook = nil
            row.state = .queued
            row.trouble = trouble
            row.notBefore = next
            turn.draft.put(row)
            return
        }
        row.looks += 1
        // Waits longer after each look; tries without an answer are not looks.
        row.attempts = row.looks
        lanes[row.group].needsFetch = true
        delay(row, trouble, &turn)
    }

    /// Whether a row only asks if the group is ahead of us: our keys may still be the living ones.
    func isProbe(_ row: OutboxRow, _ record: GroupRecord) -> Bool {
        row.intent == .rejoin && !row.isByPerson && record.status == .active
    }

    /// Whether someone we trust is in that group with a key we have never seen: then it may not be the group it claims
    /// to be.
    private func hasStrangers(_ staged: StagedCommit, _ turn: Turn) throws -> Bool {
        for member in staged.next?.members ?? [] where try isStranger(member, turn) { return true }
        return false
    }

    /// Whether a member has the name of someone we trust, with a key we have never seen.
    func isStranger(_ member: Member, _ turn: Turn) throws -> Bool {
        guard let id = ID(member.identity), id != (try account(turn).userID), let user = try turn.draft.user(id) else {
            return false
        }
        let seen = fingerprint(member.signatureKey)
        return !user.fingerprint.isEmpty && user.fingerprint != seen && user.changedFingerprint != seen
    }
}

extension OutboxRow {
    /// How often a GroupInfo came that the log contradicts, for a row that is to join from outside. Such rows have no
    /// steps otherwise.
    fileprivate var looks: UInt32 {
        get { steps }
        set { steps = newValue }
    }
}
