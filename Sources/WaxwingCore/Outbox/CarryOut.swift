import ConclaveProtocol
import MLS

/// Carries out what is at the head of a group's queue. Called only when the group's log is read to its end.
extension ClientCore {
    mutating func carryOut(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        if record.entry == .doubtful, record.status == .active,
            let step = try whileInDoubt(row, record, token, &turn)
        {
            return step
        }
        switch row.intent {
        case .message: return try post(row, record, token, &turn)
        case .create(let name, let alias): return try create(row, record, name, alias, token, &turn)
        case .rotate, .remove, .evict, .vouch: return try commit(row, record, token, &turn)
        case .refreshGroupInfo: return try refreshGroupInfo(row, record, token, &turn)
        case .invite, .renewInvite: return try invite(row, record, token, &turn)
        case .cancelInvite(let username, let user):
            return try takeBackInvite(row, username: username, of: user, record, token, &turn)
        case .rejoin: return try rejoin(row, record, token, &turn)
        case .leave: return try leave(row, record, token, &turn)
        case .accept(let invite): return accept(row, invite, token, &turn)
        case .decline(let invite):
            let call = Endpoint.declineInvite(invite, token: token)
            start(.decline(call), call.request, row, &turn)
            return .rest
        }
    }

    /// Begins a request for a row. That it is under way is on disk before it leaves.
    mutating func start(_ operation: OperationCall, _ request: APIRequest, _ row: OutboxRow, _ turn: inout Turn) {
        var row = row
        row.state = .sending
        row.attempts = row.attempts &+ 1
        row.trouble = nil
        turn.draft.put(row)
        begin(.operation(operation, group: row.group, order: row.order), request, &turn)
    }

    /// The row is done, or there is nothing left to do for it.
    mutating func drop(_ row: OutboxRow, _ turn: inout Turn) -> LaneStep {
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
        return .again
    }

    /// Refused for good. The row stays, with its reason, and no longer blocks those after it.
    mutating func fail(_ row: OutboxRow, _ reason: Trouble, _ turn: inout Turn) -> LaneStep {
        var row = row
        row.state = .failed(reason)
        turn.draft.put(row)
        lanes.ask(row.group)
        return .again
    }

    /// Tries the row again later, a little later each time.
    mutating func delay(
        _ row: OutboxRow, _ trouble: Trouble, from first: UInt64 = ClientLimits.retryDelayMin, _ turn: inout Turn
    ) {
        var row = row
        row.state = .queued
        row.trouble = trouble
        row.notBefore = turn.deadline(afterMilliseconds: retryDelay(failures: row.attempts, from: first))
        turn.draft.put(row)
        lanes.ask(row.group)
    }

    /// A key that is the same for every try of the same request, and different for any other.
    func key(_ row: OutboxRow, _ part: [UInt8] = []) -> String {
        let step = keyBytes(row.order) + keyBytes(UInt64(row.steps)) + keyBytes(row.createdAt.milliseconds)
        return hexEncode(sha256(row.group.bytes + step + part).prefix(16))
    }

    // MARK: Messages

    private mutating func post(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard record.status == .active, let serverID = record.serverID else {
            var waiting = row
            waiting.trouble = record.status == .creating ? .groupNotCreated : .keysMissing
            if waiting != row { turn.draft.put(waiting) }
            return .rest
        }
        if record.isClosed { return try holdBack(row, &turn) }
        if try turn.draft.epoch(of: record).areKeysSpent { return try waitForNewKeys(row, record, &turn) }
        var row = row
        // Sealed again only when its epoch is over. The log was just read to its end, so the old ciphertext is not in
        // it.
        if row.sealed?.epoch != record.epoch {
            try seal(&row, in: record, &turn)
            if var history = try turn.draft.pendingHistory(record.id, order: row.order), let sealed = row.sealed {
                history.epoch = sealed.epoch
                history.digest = sha256(sealed.ciphertext)
                turn.draft.put(.history, Keys.pendingHistory(record.id, order: row.order), history)
            }
        }
        guard let sealed = row.sealed else {
            return fail(row, .keysMissing, &turn)
        }
        let digest = sha256(sealed.ciphertext)
        let call = Endpoint.sendMessage(
            sealed.ciphertext, group: serverID, token: token, idempotencyKey: hexEncode(digest.prefix(16)))
        start(.message(call, digest: digest), call.request, row, &turn)
        return .rest
    }

    /// The message has its place in the log.
    mutating func settle(
        _ row: OutboxRow, in record: GroupRecord, era: UInt32, sequence: UInt64, time: UInt64, digest: [UInt8],
        _ turn: inout Turn
    ) throws {
        turn.draft.deleteOutbox(row)
        turn.draft.put(
            .seen, Keys.seen(record.id, digest: digest), SeenRecord.row(era: era, sequence: sequence))
        if var history = try turn.draft.pendingHistory(record.id, order: row.order) {
            turn.draft.delete(.history, Keys.pendingHistory(record.id, order: row.order))
            history.sequence = sequence
            history.era = era
            history.time = time
            history.digest = digest
            history.outboxOrder = nil
            turn.draft.putHistory(history, in: record)
        }
        turn.notice(.done(row, sequence: sequence))
        try noteReached(record, sealedFor: row.sealed?.epoch ?? 0, &turn)
        lanes.ask(record.id)
    }

    // MARK: Creating a group

    private mutating func create(
        _ row: OutboxRow, _ record: GroupRecord, _ name: String, _ alias: String, _ token: SessionToken,
        _ turn: inout Turn
    ) throws -> LaneStep {
        guard record.serverID != nil else {
            let call = Endpoint.createGroup(name: name, alias: alias, token: token, idempotencyKey: key(row))
            start(.createGroup(call), call.request, row, &turn)
            return .rest
        }
        if record.mlsGroupID.isEmpty {
            let me = try account(turn).userID
            let group = try Group.create(
                groupID: entropy.bytes(32), crypto: crypto, credential: .basic(identity: me.bytes),
                signer: signer(turn), lifetime: serverClock.lifetime(turn.moment), configuration: .room,
                entropy: entropy)
            var record = record
            record.mlsGroupID = group.groupID
            turn.draft.put(record)
            keep(record.id, group, &turn)
            return try commit(row, record, token, &turn)
        }
        return try commit(row, record, token, &turn)
    }

    // MARK: Commits

    /// Sends the commit staged for a row. If there is none for the current epoch, stages it first.
    private mutating func commit(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID, record.status == .active || record.status == .creating else {
            return fail(row, .keysMissing, &turn)
        }
        let staged: StagedCommit
        if let (_, stored) = try turn.draft.staged(record.id).first(where: {
            $0.record.purpose == .outbox(order: row.order) && $0.record.baseEpoch == record.epoch
        }) {
            staged = try stagedCommit(stored)
        } else {
            switch try proposals(for: row, record, token, &turn) {
            case .done: return drop(row, &turn)
            case .impossible(let reason): return fail(row, reason, &turn)
            case .underWay: return .rest
            case .otherwise: return .again
            case .commit(let proposals, let note):
                do {
                    staged = try stage(
                        proposals, for: .outbox(order: row.order), note: note, in: record,
                        &turn)
                } catch let error as MLSError {
                    return fail(row, .commitImpossible(detail: error.reason), &turn)
                }
            }
        }
        let call = try commitCall(staged, row, record, serverID, token, turn)
        start(.commit(call, digest: sha256(staged.message)), call.request, row, &turn)
        return .rest
    }

    func stagedCommit(_ record: StagedRecord) throws -> StagedCommit {
        do {
            return try StagedCommit(serialized: record.commit, crypto: crypto, configuration: .room)
        } catch {
            throw StoreError(.corrupt, "a staged commit is damaged")
        }
    }

    /// Makes a commit for the current epoch and puts it aside. The group itself stays where it is.
    ///
    /// - Parameters:
    ///   - moment: by which the lifetimes of key packages are judged, in Unix seconds; our own clock if there are none.
    ///   - note: what the commit says about itself: why it removes someone whom no one asked to remove, or whom we let
    ///     in.
    mutating func stage(
        _ proposals: [Proposal], at moment: UInt64? = nil, for purpose: StagedRecord.Purpose, note: [UInt8] = [],
        in record: GroupRecord,
        _ turn: inout Turn
    ) throws -> StagedCommit {
        let signer = try signer(turn)
        let staged = try withGroup(record.id, turn) { [entropy] group in
            // A commit in a PublicMessage takes no message key, so the copy has nothing to store.
            var group = group
            // Only what was asked for here: what others propose must not happen in this member's name.
            return try group.commit(
                proposals, includePending: false, authenticatedData: note, signer: signer,
                now: moment ?? turn.now.seconds, entropy: entropy)
        }
        guard let staged else {
            throw MLSError(.invalidState, "the keys of this group are missing")
        }
        turn.draft.put(
            StagedRecord(purpose: purpose, baseEpoch: staged.baseEpoch, commit: staged.serialized()),
            for: record.id, digest: sha256(staged.message))
        return staged
    }

    private func commitCall(
        _ staged: StagedCommit, _ row: OutboxRow, _ record: GroupRecord, _ serverID: ID, _ token: SessionToken,
        _ turn: Turn
    ) throws -> Call<Void> {
        let groupInfo = staged.groupInfo ?? []
        let once = key(row, sha256(staged.message))
        let contests = try turn.draft.epoch(of: record).refused(in: record.era)
        if case .remove(_, let user?) = row.intent, try turn.draft.membership(record.id).isOnRoster(user) {
            return Endpoint.removeMember(
                user, commit: staged.message, groupInfo: groupInfo, group: serverID, token: token,
                idempotencyKey: once, contests: contests)
        }
        var mlsGroupID: [UInt8]?
        if case .create = row.intent { mlsGroupID = record.mlsGroupID }
        return Endpoint.uploadCommit(
            staged.message, groupInfo: groupInfo, mlsGroupID: mlsGroupID, group: serverID, token: token,
            idempotencyKey: once, contests: contests)
    }

    private enum CommitPlan {
        case commit([Proposal], note: [UInt8] = [])
        /// What was wanted is already so.
        case done
        case impossible(Trouble)
        /// Something has to be asked first, and the request is under way.
        case underWay
        /// No commit brings it about, but another intent does.
        case otherwise
    }

    /// Looks at the intent again, given the group as it is now.
    private mutating func proposals(
        for row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> CommitPlan {
        switch row.intent {
        case .remove(let username, nil):
            let call = Endpoint.user(named: username, token: token)
            start(.findUser(call), call.request, row, &turn)
            return .underWay
        case .remove(_, let user?), .evict(let user):
            let membership = try turn.draft.membership(record.id)
            let isOnRoster = membership.isOnRoster(user)
            let isEviction = if case .evict = row.intent { true } else { false }
            if isEviction, isOnRoster { return .done }
            // All leaves with that user: no one may stay behind under the name of someone who is gone.
            let leaves = try withGroup(record.id, turn) { group in
                group.members.filter { $0.identity == user.bytes }.map(\.index)
            }
            guard let leaves, !leaves.isEmpty else {
                if isEviction { return .done }
                if isOnRoster {
                    _ = removeFromRoster(user, row, record, token, &turn)
                    return .underWay
                }
                if wasMember(row) { return .done }
                var invited = row
                invited.intent = .cancelInvite(username: try name(of: row.intent, user, turn), user: user)
                invited.steps = 0
                turn.draft.put(invited)
                return .otherwise
            }
            let note: RemovalNote? =
                isEviction ? membership.hasLeft(user, era: record.era) ? .left : .unlisted : nil
            return .commit(leaves.map { .remove($0) }, note: note?.authenticatedData ?? [])
        case .vouch:
            guard let note = try ownVouching(record, turn) else { return .done }
            return .commit([], note: note.authenticatedData)
        default:
            return .commit([])
        }
    }

    private func name(of intent: Intent, _ user: ID, _ turn: Turn) throws -> String {
        if case .remove(let username, _) = intent, !username.isEmpty { return username }
        return try turn.draft.user(user)?.username ?? ""
    }
}
