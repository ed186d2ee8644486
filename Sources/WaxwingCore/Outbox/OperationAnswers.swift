import ConclaveProtocol
import MLS

/// What the server said to a request made for a row of the outbox.
extension ClientCore {
    /// No answer came. Whatever may have reached the server is looked for in the log before it is sent again.
    mutating func noAnswer(_ error: TransportError, group: ID, order: UInt64, _ turn: inout Turn) throws {
        lanes[group].needsFetch = true
        lanes[group].acceptAnswer = nil
        // A row that has failed meanwhile, with the group, keeps its reason and its text.
        guard var row = try turn.draft.outboxRow(group, order: order), !row.isFailed else { return }
        row.state = error.outcome == .notSent ? .queued : .unconfirmed
        row.trouble = Trouble(error)
        turn.draft.put(row)
    }

    mutating func answerCameFor(
        _ operation: OperationCall, _ response: APIResponse, group: ID, order: UInt64, _ turn: inout Turn
    ) throws {
        lanes.ask(group)
        // Another process may have discarded the row meanwhile: then only what the log says counts.
        guard let row = try turn.draft.outboxRow(group, order: order), let record = try turn.draft.group(group) else {
            lanes[group].needsFetch = true
            return
        }
        do {
            try read(operation, response, row, record, &turn)
            try answerCame(&turn)
        } catch let error as ProtocolError {
            try refused(operation, error, row, record, &turn)
        }
    }

    private mutating func read(
        _ operation: OperationCall, _ response: APIResponse, _ row: OutboxRow, _ record: GroupRecord,
        _ turn: inout Turn
    ) throws {
        switch operation {
        case .message(let call, let digest):
            let sequence = try call.decode(response)
            if sequence <= record.cursor {
                try answeredWithOldNumber(sequence, row, record, digest, &turn)
                break
            }
            if try isTaken(sequence, digest, record, turn) {
                // Taken by a message of ours that the server has forgotten. The log, as it is numbered now, settles
                // this one.
                try restartNumbering(record, &turn)
                break
            }
            try settle(
                row, in: record, era: record.era, sequence: sequence, time: serverClock.seconds(turn.moment),
                digest: digest, &turn)
            if sequence > record.cursor + 1 { lanes[record.id].needsFetch = true }
            lanes[record.id].needsFetch = lanes[record.id].needsFetch || row.attempts > 1
        case .createGroup(let call):
            try groupIsKnown(as: call.decode(response), row, record, &turn)
        case .findOwnGroup(let call):
            try adoptOwnGroup(among: call.decode(response), row, record, &turn)
        case .commit(let call, let digest):
            try call.decode(response)
            awaitLog(row, digest, &turn)
        case .refreshGroupInfo(let call):
            try call.decode(response)
            if row.intent == .rejoin {
                var row = row
                row.state = .queued
                turn.draft.put(row)
            } else {
                _ = drop(row, &turn)
            }
        case .findUser(let call):
            let info = try call.decode(response)
            try nameCame(info.username, alias: info.alias, of: info.user, &turn)
            if let asked = asked(row.intent), let trouble = try trouble(with: info, askedFor: asked, turn) {
                _ = fail(row, trouble, &turn)
                return
            }
            resume(row, as: named(row.intent, info.user), &turn)
        case .takeKeyPackage(let call, let user):
            try keyPackageCame(call.decode(response), of: user, row, record, &turn)
        case .escrow(let call, _, let user):
            try call.decode(response)
            escrowed(row, user, &turn)
        case .findEscrow(let call, let digest, let user):
            try escrowFound(call.decode(response), digest, user, row, record, &turn)
        case .lookBeforeRenewal(let call):
            try renewals(among: call.decode(response), asked: row, record, &turn)
        case .cancelInvite(let call, let user):
            try call.decode(response)
            resume(row, as: .invite(username: try turn.draft.user(user)?.username ?? "", user: user), &turn)
        case .findInvite(let call, let user):
            try invitesToTakeBack(call.decode(response), of: user, row, record, &turn)
        case .takeBack(let call, let user):
            try call.decode(response)
            try inviteIsTakenBack(row, user, &turn)
        case .removeFromRoster(let call, let user):
            try call.decode(response)
            try removedFromRoster(user, row, &turn)
        case .leave(let call):
            try call.decode(response)
            try haveLeft(row, record, &turn)
        case .compareGroupInfo(let call):
            try compareGroupInfo(call.decode(response), row, record, &turn)
        case .groupInfo(let call):
            try stageExternal(call.decode(response), row, record, &turn)
        case .accept(let call, _):
            try call.decode(response)
            lanes[record.id].acceptAnswer = .welcomesWanted(stale: false)
        case .welcomesForAccept(let call, let stale):
            try welcomesForAccept(call.decode(response), stale: stale, row, record, &turn)
        case .rosterForAccept(let call, let stale):
            try rosterForAccept(call.decode(response), stale: stale, row, record, &turn)
        case .decline(let call):
            try call.decode(response)
            inviteIsGone(row, &turn)
        }
    }

    /// The number is at or below what we have seen: the server counts from the beginning again, or it repeats its first
    /// answer to a message whose row came and went before we fetched it.
    private mutating func answeredWithOldNumber(
        _ sequence: UInt64, _ row: OutboxRow, _ record: GroupRecord, _ digest: [UInt8], _ turn: inout Turn
    ) throws {
        if row.attempts == 1 {
            // So it is not a repeated answer.
            try restartNumbering(record, &turn)
            return
        }
        let place = Keys.history(record.id, era: record.era, sequence: sequence)
        if row.wasLookedFor, try turn.draft.value(.history, place) == nil {
            try settle(
                row, in: record, era: record.era, sequence: sequence, time: serverClock.seconds(turn.moment),
                digest: digest, &turn)
            return
        }
        // The row at the cursor tells which; if the message is in the log, the log settles it.
        lanes[record.id].overlap = true
        var row = row
        row.wasLookedFor = true
        delay(row, .logCountsAnew, &turn)
    }

    /// The server accepted a commit without saying where it is: the log will.
    private mutating func awaitLog(_ row: OutboxRow, _ digest: [UInt8], _ turn: inout Turn) {
        lanes[row.group].needsFetch = true
        // Perhaps it is there, under a number that we passed before the server restarted its numbering.
        if row.attempts > 1 { lanes[row.group].overlap = true }
        var row = row
        row.state = .unconfirmed
        row.trouble = .takenWithoutPlace
        let takenBefore = lanes[row.group].taken[digest, default: 0]
        lanes[row.group].taken[digest] = takenBefore + 1
        // Accepted before, and not in the log after all: do not hammer.
        if takenBefore > 0 { row.notBefore = turn.deadline(afterMilliseconds: retryDelay(failures: takenBefore)) }
        turn.draft.put(row)
    }

    /// Continues a row under a more exact intent.
    mutating func resume(_ row: OutboxRow, as intent: Intent, _ turn: inout Turn) {
        var row = row
        row.intent = intent
        row.state = .queued
        row.steps &+= 1
        row.attempts = 0
        // Steps that lead nowhere must not follow one another at the speed of the network.
        if row.steps > 12 { row.notBefore = turn.deadline(afterMilliseconds: retryDelay(failures: row.steps - 12)) }
        turn.draft.put(row)
        lanes.ask(row.group)
    }

    private func asked(_ intent: Intent) -> String? {
        switch intent {
        case .invite(let username, _), .remove(let username, _): username
        default: nil
        }
    }

    private func named(_ intent: Intent, _ user: ID) -> Intent {
        switch intent {
        case .invite(let username, _): .invite(username: username, user: user)
        case .remove(let username, _): .remove(username: username, user: user)
        default: intent
        }
    }

    // MARK: Refusals

    private mutating func refused(
        _ operation: OperationCall, _ error: ProtocolError, _ row: OutboxRow, _ record: GroupRecord,
        _ turn: inout Turn
    ) throws {
        if error.isSessionOver {
            var row = row
            row.state = .queued
            row.trouble = .sessionOver
            turn.draft.put(row)
            lanes[record.id].needsFetch = true
            _ = try dealtWith(error, operation.request, &turn)
            return
        }
        if error.kind == .malformed {
            if row.isFailed { return }
            var row = row
            row.state = .unconfirmed
            row.trouble = Trouble(error)
            row.notBefore = turn.deadline(afterMilliseconds: retryDelay(failures: row.attempts))
            turn.draft.put(row)
            lanes[record.id].needsFetch = true
            return
        }
        if case .plain(401...407) = error.kind, row.attempts < ClientLimits.senselessRefusals {
            // A server of ours gives a code with its reason: perhaps something else answered in its place.
            delay(row, Trouble(error), from: ClientLimits.serverRetryDelayMin, &turn)
            lanes[record.id].needsFetch = true
            return
        }
        try answerCame(&turn)
        switch (operation, error.code) {
        case (.createGroup, .conflict) where row.attempts > 1,
            (.createGroup, .conflict) where row.state == .unconfirmed:
            // Our own first try may have taken the name.
            guard let token = try account(turn).token else { return }
            let call = Endpoint.groups(token: token)
            start(.findOwnGroup(call), call.request, row, &turn)
        case (.commit, .conflict):
            // Someone else's commit came first, or we are behind: the log knows.
            lanes[record.id].needsFetch = true
            try raceLost(row, record, error, &turn)
        case (.commit, .badRequest), (.commit, .notAdmin):
            try commitRefused(row, record, error, operation.request, &turn)
        case (.takeKeyPackage(_, let user), .conflict):
            // Already invited, perhaps by an earlier try of ours for an epoch that is over.
            guard let serverID = record.serverID, let token = try account(turn).token else { return }
            let call = Endpoint.groupInvites(group: serverID, token: token)
            start(.findEscrow(call, digest: [], user: user), call.request, row, &turn)
        case (.escrow(_, let digest, let user), .conflict):
            guard let serverID = record.serverID, let token = try account(turn).token else { return }
            let call = Endpoint.groupInvites(group: serverID, token: token)
            start(.findEscrow(call, digest: digest, user: user), call.request, row, &turn)
        case (.escrow(_, let digest, _), _):
            turn.draft.deleteStaged(record.id, digest: digest)
            _ = fail(row, Trouble(error), &turn)
        case (.findUser, .notFound):
            _ = fail(row, .unknownUser, &turn)
        case (.takeBack, .notFound):
            nothingToTakeBack(row, &turn)
        case (.cancelInvite(_, let user), .notFound):
            try inviteWasGone(user, row, record, mayBeOurDoing: row.attempts > 1, &turn)
        case (.lookBeforeRenewal, .notAdmin), (.cancelInvite, .notAdmin):
            // No longer ours to do.
            _ = drop(row, &turn)
        case (.accept(_, let invite), _) where row.intent != .accept(invite: invite):
            // Answered for an invite that was renewed meanwhile.
            resume(row, as: row.intent, &turn)
        case (.leave, .notMember):
            try haveLeft(row, record, &turn)
        case (.leave, _):
            try farewellRefused(row, error, &turn)
        case (.accept, .notFound), (.accept, .notMember):
            lanes[record.id].acceptAnswer = .welcomesWanted(stale: false)
        case (.accept, .conflict):
            lanes[record.id].acceptAnswer = .welcomesWanted(stale: true)
        case (.groupInfo, .notFound) where isProbe(row, record):
            // Nothing tells whether the group is ahead of us, so there is nothing to wait for.
            _ = drop(row, &turn)
        case (.compareGroupInfo, .notFound):
            try compareGroupInfo(nil, row, record, &turn)
        case (.compareGroupInfo, _):
            // Only we ourselves asked for it. The roster will tell whether we were removed.
            lanes.account.groupsStale = true
            // In doubt, the question would only be queued again.
            if record.entry == .doubtful { delay(row, Trouble(error), &turn) } else { _ = drop(row, &turn) }
        case (.refreshGroupInfo, .conflict) where row.intent == .rejoin:
            delay(row, Trouble(error), &turn)
        case (.refreshGroupInfo, .conflict):
            // The server knows of a commit that we missed, and that is gone from its log.
            lanes[record.id].upkeepRefused = true
            try queueOnce(.rejoin, in: record.id, &turn)
            _ = drop(row, &turn)
        case (.decline, .notFound), (.decline, .notMember):
            inviteIsGone(row, &turn)
        case (_, .notMember), (_, .banned):
            // Were we removed? The roster will tell; if not, the refusal stands.
            lanes.account.groupsStale = true
            _ = fail(row, .notMember, &turn)
        default:
            _ = fail(row, Trouble(error), &turn)
        }
    }

    /// Strict servers refuse a commit for an epoch that is over. The log brings the winner; then the intent is staged
    /// again.
    private mutating func raceLost(
        _ row: OutboxRow, _ record: GroupRecord, _ error: ProtocolError, _ turn: inout Turn
    ) throws {
        for (digest, staged) in try turn.draft.staged(record.id) where staged.purpose == .external(order: row.order) {
            // The GroupInfo was not the latest: fetch it again.
            turn.draft.deleteStaged(record.id, digest: digest)
        }
        if isProbe(row, record) {
            try probeRefused(row, record, error, &turn)
            return
        }
        delay(row, .raceLost, &turn)
        if row.attempts > 3, row.intent != .rejoin {
            // This happens again and again, with the log read to its end: either commits are missing from it, or the
            // server has counted one that was not valid. The first is asked first (a rejoin is urgent): a GroupInfo of
            // the past would reopen an epoch that is over for others.
            if record.status == .active { try queueOnce(.rejoin, in: record.id, &turn) }
            try lookAfterGroupInfo(of: record.id, atOnce: true, isTold: true, &turn)
        }
    }

    /// An external commit that no one asked for was not accepted. A GroupInfo that leads to no epoch for which the
    /// server would accept a commit can be of anyone's making: after a few tries we go on with our own keys, which may
    /// be the living ones, and put their GroupInfo there.
    private mutating func probeRefused(
        _ row: OutboxRow, _ record: GroupRecord, _ error: ProtocolError, _ turn: inout Turn
    ) throws {
        lanes[record.id].probesRefused += 1
        let lane = lanes[record.id]
        // If ours was refused, too, a commit that we missed is gone from the log, and the only way is from outside.
        if lane.probesRefused >= ClientLimits.probesRefused, !lane.upkeepRefused {
            _ = drop(row, &turn)
            try lookAfterGroupInfo(of: record.id, atOnce: true, isTold: true, &turn)
            return
        }
        var row = row
        row.attempts = max(row.attempts, lane.probesRefused)
        delay(row, .raceLost, &turn)
    }

    private mutating func commitRefused(
        _ row: OutboxRow, _ record: GroupRecord, _ error: ProtocolError, _ request: APIRequest, _ turn: inout Turn
    ) throws {
        if case .remove(_, let user?) = row.intent, error.code == .badRequest, request.path.hasSuffix("/remove") {
            // Off the roster already, as we may have heard meanwhile, but still in the tree: the Remove goes through
            // `commit` next time.
            var membership = try turn.draft.membership(record.id)
            membership.roster.removeAll { $0.user == user }
            turn.draft.put(membership, for: record.id)
            lanes[record.id].needsFetch = true
            delay(row, Trouble(error), &turn)
            return
        }
        for (digest, staged) in try turn.draft.staged(record.id)
        where staged.purpose == .outbox(order: row.order) || staged.purpose == .external(order: row.order) {
            turn.draft.deleteStaged(record.id, digest: digest)
        }
        _ = fail(row, Trouble(error), &turn)
    }

    // MARK: Groups of our own making

    private mutating func groupIsKnown(as serverID: ID, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn) {
        var record = record
        record.serverID = serverID
        turn.draft.put(record)
        lanes.serverIDs[serverID] = record.id
        resume(row, as: row.intent, &turn)
    }

    /// An earlier try made the group and its answer was lost: it is ours alone and has no MLS group yet.
    private mutating func adoptOwnGroup(
        among groups: [GroupSummary], _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        for group in groups
        where group.name == record.name && group.mlsGroupID == nil && group.members.map(\.user) == [me] {
            groupIsKnown(as: group.group, row, record, &turn)
            return
        }
        _ = fail(row, .groupNameTaken(record.name), &turn)
    }

    private mutating func haveLeft(_ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn) throws {
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
        try end(record, as: .left, .weLeft, &turn)
    }
}
