import ConclaveProtocol
import MLS

/// Inviting: looks the user up, takes a key package, stages an Add and escrows it. The staged commit is merged only
/// when it comes back in the log, which may be days later, or never.
extension ClientCore {
    /// The server holds ten regular key packages and one of last resort; looking the user up is a step, too.
    private static var keyPackagesTried: UInt32 { 12 }

    mutating func invite(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID, record.status == .active else { return .rest }
        switch row.intent {
        case .renewInvite where row.steps == 0:
            // Another admin may have invited them meanwhile.
            let call = Endpoint.groupInvites(group: serverID, token: token)
            start(.lookBeforeRenewal(call), call.request, row, &turn)
        case .renewInvite(let user):
            let call = Endpoint.cancelInvite(of: user, group: serverID, token: token, idempotencyKey: key(row))
            start(.cancelInvite(call, user: user), call.request, row, &turn)
        case .invite(let username, nil):
            let call = Endpoint.user(named: username, token: token)
            start(.findUser(call), call.request, row, &turn)
        case .invite(_, let user?):
            if try withGroup(record.id, turn, { $0.member(identity: user.bytes) != nil }) ?? false {
                return fail(row, .alreadyMember, &turn)
            }
            if try turn.draft.staged(record.id).contains(where: { $0.record.purpose == .escrow(invitee: user) }) {
                return fail(row, .alreadyInvited(by: ""), &turn)
            }
            if let (digest, stored) = try turn.draft.staged(record.id).first(where: {
                $0.record.purpose == .outbox(order: row.order) && $0.record.baseEpoch == record.epoch
            }) {
                escrow(try stagedCommit(stored), digest, user, row, serverID, token, &turn)
            } else if !serverClock.isKnown(turn.moment), turn.now.seconds < ServerClock.earliest {
                // No key package would do, and each one taken is lost to others.
                return fail(row, .clockWrong(now: turn.now.seconds), &turn)
            } else {
                let call = Endpoint.invite([user], group: serverID, token: token)
                start(.takeKeyPackage(call, user: user), call.request, row, &turn)
            }
        default: break
        }
        return .rest
    }

    private mutating func escrow(
        _ staged: StagedCommit, _ digest: [UInt8], _ user: ID, _ row: OutboxRow, _ serverID: ID, _ token: SessionToken,
        _ turn: inout Turn
    ) {
        let call = Endpoint.escrowInvite(
            user, commit: staged.message, welcome: staged.welcome ?? [], groupInfo: staged.groupInfo ?? [],
            group: serverID, token: token, idempotencyKey: key(row, digest))
        start(.escrow(call, digest: digest, user: user), call.request, row, &turn)
    }

    mutating func keyPackageCame(
        _ packages: [MemberKeyPackage], of user: ID, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        guard let package = packages.first(where: { $0.user == user }) else {
            _ = fail(row, .noKeyPackage, &turn)
            return
        }
        do {
            let keyPackage = try KeyPackage(message: package.keyPackage)
            guard keyPackage.leafNode.credential == .basic(identity: user.bytes) else {
                throw MLSError(.invalidKeyPackage, "the server handed out one of somebody else")
            }
            if let trouble = try keyTrouble(keyPackage.leafNode.signatureKey, of: user, row, &turn) {
                _ = fail(row, trouble, &turn)
                return
            }
            let staged = try stage(
                [.add(keyPackage)], at: moment(for: keyPackage, turn), for: .outbox(order: row.order), in: record, &turn
            )
            guard staged.welcome != nil, staged.groupInfo != nil else {
                _ = fail(row, .inviteImpossible, &turn)
                return
            }
            resume(row, as: row.intent, &turn)
        } catch let error as MLSError {
            if row.steps < Self.keyPackagesTried, error.code != .invalidState {
                // This one is spent. The next may be good, or at last the one of last resort.
                resume(row, as: row.intent, &turn)
                return
            }
            let trouble: Trouble =
                error.code == .expired
                ? .keyPackageExpired(try lifetime(of: package, row, turn)) : .keyPackageUnusable(detail: error.reason)
            _ = fail(row, trouble, &turn)
        }
    }

    /// The moment by which a key package's lifetime is judged: our own clock if the package is valid by that, otherwise
    /// the time to go by if ours may be wrong.
    private func moment(for keyPackage: KeyPackage, _ turn: Turn) -> UInt64 {
        if (try? keyPackage.leafNode.checkLifetime(now: turn.now.seconds)) != nil { return turn.now.seconds }
        return serverClock.seconds(turn.moment)
    }

    /// Why a key package is not valid now: whose clock is wrong, and what to do.
    private func lifetime(of package: MemberKeyPackage, _ row: OutboxRow, _ turn: Turn) throws -> KeyPackageLifetime {
        var known = KeyPackageLifetime(
            name: "", notBefore: nil, notAfter: nil, now: serverClock.seconds(turn.moment), doubtfulClock: nil)
        if !serverClock.isKnown(turn.moment) || serverClock.isOff(turn.moment) {
            known.doubtfulClock = turn.now.seconds
        }
        guard case .invite(let username, let user) = row.intent else { return known }
        known.name = username.isEmpty ? try user.flatMap { try turn.draft.user($0) }?.username ?? "" : username
        // A key package that does not even decode says nothing about time.
        if let keyPackage = try? KeyPackage(message: package.keyPackage),
            case .keyPackage(let lifetime) = keyPackage.leafNode.source
        {
            (known.notBefore, known.notAfter) = (lifetime.notBefore, lifetime.notAfter)
        }
        return known
    }

    /// The server holds the invite now. The staged commit stays aside until the log brings it back.
    mutating func escrowed(_ row: OutboxRow, _ user: ID, _ turn: inout Turn) {
        do {
            for (digest, var staged) in try turn.draft.staged(row.group)
            where staged.purpose == .outbox(order: row.order) {
                staged.purpose = .escrow(invitee: user)
                turn.draft.put(staged, for: row.group, digest: digest)
            }
        } catch {
            // A damaged record shows up on the next read; the invite itself stands.
        }
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
    }

    /// The server says "already invited": by an earlier try of ours whose answer was lost, or by someone else.
    mutating func escrowFound(
        _ invites: [PendingInvite], _ digest: [UInt8], _ user: ID, _ row: OutboxRow, _ record: GroupRecord,
        _ turn: inout Turn
    ) throws {
        if let invite = invites.first(where: { $0.invitee == user }) {
            if try invite.inviter == account(turn).userID {
                // An earlier try of ours came through, with this or an older commit: take that invite back and escrow
                // the commit we hold.
                resume(row, as: .renewInvite(user: user), &turn)
            } else {
                turn.draft.deleteStaged(record.id, digest: digest)
                giveUp(row, .alreadyInvited(by: invite.inviterUsername), &turn)
            }
        } else if row.attempts > 1, !digest.isEmpty {
            // They are a member by now, perhaps by our own earlier try: its bytes may be in the log, so the staged
            // commit is kept.
            holdEscrow(row, user, &turn)
        } else {
            turn.draft.deleteStaged(record.id, digest: digest)
            lanes.account.groupsStale = true
            giveUp(row, .alreadyMember, &turn)
        }
    }

    /// What a person asked for stays with its reason; a renewal that is no longer wanted is over.
    private mutating func giveUp(_ row: OutboxRow, _ reason: Trouble, _ turn: inout Turn) {
        _ = row.isByPerson ? fail(row, reason, &turn) : drop(row, &turn)
    }

    /// Whether the staged commit was accepted will show in the log.
    private mutating func holdEscrow(_ row: OutboxRow, _ user: ID, _ turn: inout Turn) {
        escrowed(row, user, &turn)
        lanes[row.group].needsFetch = true
        lanes[row.group].recheckEscrows = true
    }

    /// There was nothing to cancel: an earlier try whose answer was lost took it back, or it was accepted or declined,
    /// or it expired. No one who said no is asked twice.
    mutating func inviteWasGone(
        _ user: ID, _ row: OutboxRow, _ record: GroupRecord, mayBeOurDoing: Bool, _ turn: inout Turn
    ) throws {
        if mayBeOurDoing, try !turn.draft.membership(record.id).isOnRoster(user) {
            resume(row, as: .invite(username: try turn.draft.user(user)?.username ?? "", user: user), &turn)
            return
        }
        holdEscrow(row, user, &turn)
        lanes.account.groupsStale = true
        lanes[record.id].goneInvites[user] = lanes.account.round + 1
    }

    /// Tells of invites that are gone and made no one a member, once the roster is recent enough to say so.
    mutating func tellGoneInvites(of group: ID, _ roster: MembershipRecord, _ turn: inout Turn) {
        for (user, round) in lanes[group].goneInvites.sorted(by: { $0.key < $1.key })
        where round <= lanes.account.roundDone {
            lanes[group].goneInvites[user] = nil
            if !roster.isOnRoster(user) { turn.notice(.inviteGone(group: group, user: user)) }
        }
    }

    // MARK: Renewing

    /// The group's invites have come, for all renewals that wait: decides which are still to be made.
    mutating func renewals(
        among invites: [PendingInvite], asked: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        let epoch = try turn.draft.epoch(of: record)
        for row in try turn.draft.outbox(record.id) {
            guard case .renewInvite(let user) = row.intent, row.steps == 0,
                row.order == asked.order || row.state == .queued && row.notBefore.isDue(turn.moment)
            else { continue }
            guard let invite = invites.first(where: { $0.invitee == user }) else {
                try inviteWasGone(user, row, record, mayBeOurDoing: false, &turn)
                continue
            }
            let isStale =
                invite.inviter == me
                ? try !hasLivingEscrow(of: user, in: record, turn) : invite.createdAt < epoch.startedAt
            if isStale {
                resume(row, as: row.intent, &turn)
            } else {
                _ = drop(row, &turn)
            }
        }
    }

    private func hasLivingEscrow(of user: ID, in record: GroupRecord, _ turn: Turn) throws -> Bool {
        try turn.draft.staged(record.id).contains {
            $0.record.purpose == .escrow(invitee: user) && $0.record.baseEpoch == record.epoch
        }
    }

    /// Whether the invites of a group may include stale ones that we, as an admin, should renew: they are looked
    /// through once in each epoch. An only admin knows their own invites, unless they were made on another device.
    func mustLookAfterInvites(_ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard record.status == .active, record.serverID != nil else { return false }
        let epoch = try turn.draft.epoch(of: record)
        guard epoch.startedAt > 0, !epoch.invitesChecked else { return false }
        let admins = try turn.draft.membership(record.id).admins
        return try admins.contains(account(turn).userID) && (admins.count > 1 || record.joinedEpoch == record.epoch)
    }

    /// Renews invites that the group has outgrown, which any admin does, as the inviter may be away or may have lost
    /// what they had staged.
    private mutating func renewStale(
        _ invites: [PendingInvite], in group: ID, isDrained: Bool, _ turn: inout Turn
    ) throws {
        guard let record = try turn.draft.group(group), try mustLookAfterInvites(record, turn) else { return }
        guard isDrained else {
            lanes[group].recheckEscrows = true
            return
        }
        var epoch = try turn.draft.epoch(of: record)
        epoch.invitesChecked = true
        turn.draft.put(epoch, for: group)
        let me = try account(turn).userID
        let outbox = try turn.draft.outbox(group)
        for invite in invites where invite.createdAt < epoch.startedAt {
            let user = invite.invitee
            if invite.inviter == me, try hasLivingEscrow(of: user, in: record, turn) { continue }
            if outbox.contains(where: { $0.intent.isInvite(of: user) }) { continue }
            let ourTurn = invite.inviter == me ? nil : try renewalTurn(in: group, turn)
            try queueOnce(.renewInvite(user: user), in: group, notBefore: ourTurn, &turn)
        }
    }

    /// When it is our turn to renew others' invites, so that usually one admin does.
    private func renewalTurn(in group: ID, _ turn: Turn) throws -> Deadline {
        let admins = try turn.draft.membership(group).admins
        let rank = try admins.firstIndex(of: account(turn).userID) ?? 0
        let stagger = ClientLimits.renewalStagger
        let jitter = UInt64(entropy.bytes(1)[0]) * stagger / 0xFF
        let wait = ClientLimits.renewalDelay + UInt64(min(rank, ClientLimits.renewalRanks)) * stagger + jitter
        return turn.deadline(afterMilliseconds: wait)
    }

    /// Compares the invites that the server still holds with those we have staged, and looks after those of others.
    ///
    /// One that is gone may have been accepted: then its commit is in the log. So the staged commit is forgotten only
    /// if it is missing a second time, with the log read to its end in between.
    mutating func escrowsAre(_ invites: [PendingInvite], in group: ID, _ turn: inout Turn) throws {
        let lane = lanes[group]
        let isDrained = !lane.needsFetch && !lane.busy && lanes.backlog[group] == nil
        for (digest, staged) in try turn.draft.staged(group) {
            guard case .escrow(let invitee) = staged.purpose, !invites.contains(where: { $0.invitee == invitee }) else {
                continue
            }
            if isDrained, lane.missingEscrows.contains(digest) {
                lanes[group].missingEscrows.remove(digest)
                turn.draft.deleteStaged(group, digest: digest)
                turn.notice(.inviteGone(group: group, user: invitee))
            } else {
                lanes[group].missingEscrows.insert(digest)
                lanes[group].needsFetch = true
                lanes[group].recheckEscrows = true
            }
        }
        try renewStale(invites, in: group, isDrained: isDrained, &turn)
    }
}

extension Intent {
    /// Whether a user is being invited, now or again.
    fileprivate func isInvite(of user: ID) -> Bool {
        switch self {
        case .invite(_, let invited): invited == user
        case .renewInvite(let invited): invited == user
        default: false
        }
    }
}
