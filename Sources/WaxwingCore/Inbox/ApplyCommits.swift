import ConclaveProtocol
import MLS

/// Applies commits and proposals from the log. The first valid commit of an epoch, in log order, is the one that
/// counts.
extension ClientCore {
    mutating func applyHandshake(
        _ row: InboxRow, _ digest: [UInt8], _ summary: MessageSummary, to group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        guard let present = group.state?.epoch else { return }
        let epoch = summary.epoch ?? 0
        if epoch > present {
            try park(row, digest, epoch: epoch, in: &group, &turn)
            return
        }
        if epoch < present {
            try passedOver(row, summary, in: &group, &turn)
            return
        }
        let incoming: Incoming
        do {
            incoming = try process(row.message, in: group, turn)
            switch incoming {
            case .proposal(let proposal): try group.state?.storeProposal(proposal)
            case .commit: break
            }
        } catch let error as MLSError {
            let isRefused = error.everyoneSeesWhy && !group.record.hasHole
            try noteCommit(summary, row, isRefused: isRefused, in: group.id, &turn)
            if summary.contentType == .commit, !group.record.joinTag.isEmpty {
                // We have not found the commit that let us in yet, so it may be us who are in the wrong place.
                group.record.rivalSeen = true
                return
            }
            if error.code == .ownMessage, summary.confirmationTag == nil {
                // Any member can put our name on the outside of a PrivateMessage (RFC 9420 §6.3.2), and we send no
                // handshake in one.
                try keepUnreadable(row, digest, .forged, epoch: epoch, in: group, &turn)
                if summary.contentType == .commit { try noteDead(commitOf: epoch, row, in: group.id, &turn) }
            } else if error.code == .ownMessage {
                // A commit of ours whose staged state is gone: the group has moved on without us.
                try keepUnreadable(row, digest, .ownLostState, epoch: epoch, in: group, &turn)
                try queueOnce(.rejoin, in: group.id, &turn)
            } else {
                var why = try reason(error, epoch, group.id, turn)
                // Whoever sent it is a member of this epoch, or knows its keys: it is its content that is invalid.
                if why == .forged, ![.invalidTag, .invalidSignature, .decryptionFailed].contains(error.code) {
                    why = .refused
                }
                if why == .refused, error.everyoneSeesWhy, let (sender, events) = tries(summary, in: group) {
                    wantNames(in: events, turn)
                    turn.draft.putLine(
                        events, of: row, digest, by: sender ?? row.sender, epoch: epoch, in: group.record)
                } else {
                    try keepUnreadable(row, digest, why, epoch: epoch, in: group, &turn)
                }
                if summary.contentType == .commit {
                    try noteDead(commitOf: epoch, row, in: group.id, &turn)
                    try refuse(row, everyoneSeesWhy: error.everyoneSeesWhy, in: group, &turn)
                }
            }
            return
        }
        if case .commit(let staged) = incoming {
            try merge(staged, row, digest, events: systemEvents(of: staged), into: &group, &turn)
        }
    }

    /// Handles a commit for an epoch that is over: it lost the race, or it is older than our membership.
    private mutating func passedOver(
        _ row: InboxRow, _ summary: MessageSummary, in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        guard summary.contentType == .commit, let epoch = summary.epoch else { return }
        if let lost = group.state?.lostCommit(row.message) {
            try noteReplaced(row, summary, by: lost.committer, in: group, &turn)
            try awaitNewcomers(
                lost.added.map { ($0.credential.identity, $0.signatureKey) }, of: lost.committer, epoch: epoch,
                in: group, &turn)
            if RemovalNote(authenticatedData: lost.authenticatedData) == .leaving {
                try noteLeaving(lost.committer, in: epoch, of: group, &turn)
            }
        }
        let isOurDoor = summary.confirmationTag.map { constantTimeEqual($0, group.record.joinTag) } ?? false
        if epoch + 1 == group.record.joinedEpoch || !group.record.joinTag.isEmpty {
            try checkWhereWeJoined(row, summary, epoch: epoch, in: &group, &turn)
        }
        if epoch + 1 >= group.record.joinedEpoch, !isOurDoor {
            try noteDead(commitOf: epoch, row, in: group.id, &turn)
            // Its GroupInfo may have replaced that of the living commit.
            try lookAfterGroupInfo(of: group.id, &turn)
        }
    }

    /// Looks for the commit that brought us in. If a rival comes before it in the log, a dead commit let us in and we
    /// are on a branch of our own: an external commit brings us back to the living group.
    private mutating func checkWhereWeJoined(
        _ row: InboxRow, _ summary: MessageSummary, epoch: UInt64, in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        guard !group.record.joinTag.isEmpty, let tag = summary.confirmationTag else { return }
        if constantTimeEqual(tag, group.record.joinTag) {
            group.record.joinTag = []
            if group.record.entry != .proven { group.record.entryBy = row.sender }
            let me = try account(turn).userID
            let held = try turn.draft.room(group.id)?.holds.map(\.line) ?? []
            turn.draft.putLine(
                [SystemEvent(.joined, actor: row.sender, subject: me)] + held, of: row, sha256(row.message),
                by: row.sender, epoch: epoch, in: group.record)
            if group.record.rivalSeen { try leaveDeadBranch(&group, &turn) }
            group.record.rivalSeen = false
        } else if epoch + 1 == group.record.joinedEpoch {
            group.record.rivalSeen = true
        }
    }

    /// Drops our keys, which are of no use to anyone, and joins another way.
    ///
    /// - Parameter split: the epoch from which what we merged is dead; nil for everything since we joined.
    mutating func leaveDeadBranch(_ group: inout OpenGroup, from split: UInt64? = nil, _ turn: inout Turn) throws {
        var membership = try turn.draft.membership(group.id)
        membership.log.forgetMerged(from: split ?? group.record.joinedEpoch - min(group.record.joinedEpoch, 1))
        turn.draft.put(membership, for: group.id)
        // From before there were room records: otherwise what is known would go with the keys.
        _ = try room(of: group.record, group.state, &turn)
        try settlePins(of: group.id, isLiving: false, &turn)
        try sayAgain(group.record, from: split, &turn)
        group.state = nil
        group.record.status = .keyless
        group.record.joinTag = []
        group.record.rivalSeen = false
        group.record.entry = .proven
        group.record.entryBy = nil
        groups.remove(group.id)
        turn.draft.deleteAll(.groupState, prefix: group.id.bytes)
        for (digest, _) in try turn.draft.staged(group.id) { try dropStaged(digest, in: group.id, &turn) }
        try queueOnce(.rejoin, in: group.id, &turn)
    }

    /// A commit of our own has come back. It counts if no other came before it.
    mutating func ownCommitArrived(
        _ stored: StagedRecord, _ row: InboxRow, in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        let digest = sha256(row.message)
        let staged: StagedCommit
        do {
            staged = try StagedCommit(serialized: stored.commit, crypto: crypto, configuration: .room)
        } catch {
            throw StoreError(.corrupt, "a staged commit is damaged")
        }
        if case .external(let order) = stored.purpose {
            try enterBy(staged, stored.way, order: order, row, digest, in: &group, &turn)
            return
        }
        guard let state = group.state, state.epoch == stored.baseEpoch else {
            // It lost the race. Whoever it was for was told when the epoch changed; its GroupInfo is on the server.
            try awaitNewcomers(
                staged.changes.added.map { ($0.identity, $0.signatureKey) }, of: staged.committer,
                epoch: staged.baseEpoch, in: group, &turn)
            try noteDead(commitOf: stored.baseEpoch, row, in: group.id, &turn)
            try noteCommit(MLSMessage.summary(of: row.message), row, in: group.id, &turn)
            try lookAfterGroupInfo(of: group.id, &turn)
            return
        }
        var events = systemEvents(of: staged)
        if case .outbox(let order) = stored.purpose, let waiting = try turn.draft.outboxRow(group.id, order: order) {
            if case .create = waiting.intent {
                events = [SystemEvent(.created, actor: try account(turn).userID)]
                group.record.status = .active
            }
            // If we are off the roster, too, the answer to our leaving tells.
            if waiting.intent != .leave {
                turn.draft.deleteOutbox(waiting)
                turn.notice(.done(waiting, sequence: row.sequence))
            }
        }
        do {
            try merge(staged, row, digest, events: events, into: &group, &turn)
        } catch let error as MLSError {
            // The staged state no longer fits the group. That cannot be repaired from inside, only by joining from
            // outside.
            try keepUnreadable(row, digest, .ownLostState, epoch: stored.baseEpoch, in: group, &turn)
            _ = error
            try queueOnce(.rejoin, in: group.id, &turn)
        }
    }

    /// Makes a commit count: the group moves to its next epoch.
    private mutating func merge(
        _ staged: StagedCommit, _ row: InboxRow, _ digest: [UInt8], events: [SystemEvent], into group: inout OpenGroup,
        _ turn: inout Turn
    ) throws {
        var events = events
        let committer = ID(staged.committer.identity)
        let epoch = staged.baseEpoch
        if staged.changes.selfRemoved {
            events += try weAreOut(by: staged, row, &group, &turn)
        } else {
            let replaced = (staged.changes.updated + staged.changes.removed)
                .compactMap { group.state?.leafKey(at: $0.index).map { mark($0) } }
            let known = try room(of: group.record, group.state, &turn)
            try group.state?.merge(staged)
            events += missingMessages(in: group)
            if try !turn.draft.epoch(of: group.record).refused(in: row.era).isEmpty,
                committer == (try account(turn).userID)
            {
                // The server cannot tell whether a commit that contests another one lives: it has kept the GroupInfo it
                // had.
                try lookAfterGroupInfo(of: group.id, atOnce: true, &turn)
            }
            group.record.epoch = epoch + 1
            turn.draft.put(EpochRecord(epoch: group.record.epoch, startedAt: row.time), for: group.id)
            group.record.lastCommitter = committer
            if committer == (try account(turn).userID),
                staged.changes.updated.contains(where: { $0.index == staged.committer.index })
            {
                try keysAreNew(in: group.record, sequence: row.sequence, &turn)
            }
            try noteMerged(
                staged, row, replacing: replaced, isSure: !group.record.hasHole, in: group.id, &turn)
            if let committer {
                try prove(&group.record, by: committer, fromOutside: staged.changes.external, turn)
            }
            group.epochChanged = true
            let vouched = try takeVouching(staged, in: &group.record, &turn)
            if let state = group.state {
                events += try enterRoom(
                    state, by: .commit(staged.changes, committer: staged.committer, proposers: staged.proposers),
                    after: vouched ?? known,
                    in: &group.record,
                    time: row.time, &turn)
            }
            if RemovalNote(authenticatedData: staged.authenticatedData) == .leaving {
                try noteLeaving(staged.committer, in: epoch, of: group, &turn)
            }
            try epochIsOver(in: group, &turn)
            // After an external join, the server has the GroupInfo of the epoch before.
            if staged.changes.external { try lookAfterGroupInfo(of: group.id, &turn) }
        }
        guard !events.isEmpty else { return }
        wantNames(in: events, turn)
        turn.draft.putLine(events, of: row, digest, by: committer ?? row.sender, epoch: epoch, in: group.record)
    }

    /// What was built for the epoch that is over is dead: its intent is looked at again.
    mutating func epochIsOver(in group: OpenGroup, _ turn: inout Turn) throws {
        for (digest, staged) in try turn.draft.staged(group.id) where staged.baseEpoch < group.record.epoch {
            try dropStaged(digest, in: group.id, &turn)
        }
    }

    /// Drops a staged commit that can no longer count, and queues what it was for.
    mutating func dropStaged(_ digest: [UInt8], in group: ID, _ turn: inout Turn) throws {
        guard let staged = try turn.draft.record(.staged, Keys.staged(group, digest: digest), as: StagedRecord.self)
        else {
            return
        }
        turn.draft.deleteStaged(group, digest: digest)
        switch staged.purpose {
        case .outbox(let order), .external(let order):
            guard var row = try turn.draft.outboxRow(group, order: order) else { return }
            row.state = .queued
            row.trouble = .raceLost
            row.notBefore = nil
            turn.draft.put(row)
        case .escrow(let invitee):
            try queueOnce(.renewInvite(user: invitee), in: group, &turn)
        }
    }

    /// We are in by our own external commit.
    private mutating func enterBy(
        _ staged: StagedCommit, _ way: StagedRecord.Way?, order: UInt64, _ row: InboxRow, _ digest: [UInt8],
        in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        guard let next = staged.next else { return }
        let known = try room(of: group.record, group.state, &turn)
        turn.draft.deleteAll(.groupState, prefix: group.id.bytes)
        group.state = next
        group.record.status = .active
        group.record.mlsGroupID = next.groupID
        group.record.epoch = next.epoch
        turn.draft.put(EpochRecord(epoch: next.epoch, startedAt: row.time), for: group.id)
        group.record.joinedEpoch = next.epoch
        group.record.joinTag = []
        group.record.rivalSeen = false
        group.record.hasHole = false
        group.record.entry = way?.isDoubtful ?? false ? .doubtful : .unproven
        group.record.entryBy = way?.signer
        if next.members.count == 1 { group.record.entry = .proven }
        group.epochChanged = true
        let me = try account(turn).userID
        group.record.lastCommitter = me
        try keysAreNew(in: group.record, sequence: row.sequence, &turn)
        try noteMerged(staged, row, replacing: [], in: group.id, &turn)
        var membership = try turn.draft.membership(group.id)
        membership.log.forget(beyond: next.epoch)
        turn.draft.put(membership, for: group.id)
        try unseal(group.id, &turn)
        lanes[group.id].rosterWanted = lanes.account.round + 1
        if let waiting = try turn.draft.outboxRow(group.id, order: order) {
            turn.draft.deleteOutbox(waiting)
            turn.notice(.done(waiting, sequence: row.sequence))
        }
        // This also ends any other attempt to bring us in.
        for other in try turn.draft.outbox(group.id) where other.intent == .rejoin {
            turn.draft.deleteOutbox(other)
            turn.notice(.done(other, sequence: nil))
        }
        try giveUpParked(in: &group, &turn)
        for (digest, _) in try turn.draft.staged(group.id) { try dropStaged(digest, in: group.id, &turn) }
        // The server keeps no GroupInfo of an external commit.
        try lookAfterGroupInfo(of: group.id, atOnce: true, &turn)
        let events =
            try systemEvents(of: staged)
            + enterRoom(
                next, by: .outside, after: known, in: &group.record, time: row.time, &turn)
        wantNames(in: events, turn)
        turn.draft.putLine(events, of: row, digest, by: me, epoch: staged.baseEpoch, in: group.record)
        // It tells a GroupInfo of the state before ours from any other.
        if group.record.entry != .proven {
            try keepWitness(row, digest, epoch: staged.baseEpoch, in: group.id, &turn)
        }
    }

    /// What a commit did, for people.
    private func systemEvents(of staged: StagedCommit) -> [SystemEvent] {
        guard let actor = ID(staged.committer.identity) else { return [] }
        let changes = staged.changes
        if changes.external {
            let isBack = changes.removed.contains { $0.identity == staged.committer.identity }
            return [SystemEvent(isBack ? .rejoined : .joined, actor: actor)]
        }
        var events: [SystemEvent] = []
        for member in changes.added {
            if let user = ID(member.identity) { events.append(SystemEvent(.joined, actor: actor, subject: user)) }
        }
        for user in Set(changes.removed.compactMap { ID($0.identity) }).sorted() {
            events.append(SystemEvent(removal(of: user, in: staged), actor: actor, subject: user))
        }
        if changes.extensions != nil { events.append(SystemEvent(.settingsChanged, actor: actor)) }
        for member in changes.updated where member.index != staged.committer.index {
            if let user = ID(member.identity) { events.append(SystemEvent(.rotated, actor: user)) }
        }
        if events.isEmpty {
            let isLeaving = RemovalNote(authenticatedData: staged.authenticatedData) == .leaving
            events.append(SystemEvent(isLeaving ? .left : .rotated, actor: actor))
        }
        return events
    }

    /// A commit says why it removes someone only if it does nothing else.
    private func removal(of user: ID, in staged: StagedCommit) -> SystemEvent.Kind {
        let changes = staged.changes
        guard changes.added.isEmpty, changes.removed.allSatisfy({ $0.identity == user.bytes }) else { return .removed }
        switch RemovalNote(authenticatedData: staged.authenticatedData) {
        case .left: return .left
        case .unlisted: return .unlisted
        case .leaving, nil: return .removed
        }
    }

    /// What waits was sealed with keys that are gone, perhaps under the same epoch number: it will be sealed again.
    func unseal(_ group: ID, _ turn: inout Turn) throws {
        for var row in try turn.draft.outbox(group) where row.sealed != nil {
            row.sealed = nil
            turn.draft.put(row)
        }
    }

    /// Ends our part in a group: deletes the keys, and marks what waits with the reason.
    mutating func closeGroup(
        _ group: inout OpenGroup, as end: GroupEnd, _ turn: inout Turn
    ) throws {
        group.state = nil
        group.record.status = end.status
        turn.draft.delete(.membership, Keys.roomBefore(group.id))
        turn.draft.delete(.membership, Keys.decided(group.id))
        try wipeState(group.id, &turn)
        for var row in try turn.draft.outbox(group.id) where !row.isFailed {
            if row.isByPerson {
                row.state = .failed(.groupClosed(end))
                turn.draft.put(row)
            } else {
                // No one asked for it, so no one misses it.
                turn.draft.deleteOutbox(row)
            }
        }
        if end.status == .removed { try keepUnread(group.record, after: end, &turn) }
    }
}
