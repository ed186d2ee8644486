import ConclaveProtocol
import MLS

/// Accepting an invite, and joining by its Welcome.
extension ClientCore {
    /// How often an invite that is gone is looked for again before the accept counts as refused.
    private static var looksForRenewedInvite: UInt32 { 3 }

    /// Accepts, then fetches the Welcome, then looks at the roster. Each step can be repeated. A second accept that is
    /// refused is still followed up, since the first may have come through.
    mutating func accept(_ row: OutboxRow, _ invite: ID, _ token: SessionToken, _ turn: inout Turn) -> LaneStep {
        switch lanes[row.group].acceptAnswer {
        case nil:
            let call = Endpoint.acceptInvite(invite, token: token, idempotencyKey: key(row, invite.bytes))
            start(.accept(call, invite: invite), call.request, row, &turn)
        case .welcomesWanted(let stale):
            let call = Endpoint.welcomes(token: token)
            begin(
                .operation(.welcomesForAccept(call, stale: stale), group: row.group, order: row.order), call.request,
                &turn)
        case .rosterWanted(let stale):
            let call = Endpoint.groups(token: token)
            begin(
                .operation(.rosterForAccept(call, stale: stale), group: row.group, order: row.order), call.request,
                &turn)
        }
        return .rest
    }

    mutating func welcomesForAccept(
        _ welcomes: [PendingWelcome], stale: Bool, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        for welcome in welcomes { try join(by: welcome, &turn) }
        if try turn.draft.group(record.id)?.status == .active {
            lanes[record.id].acceptAnswer = nil
            inviteIsGone(row, &turn)
        } else {
            lanes[record.id].acceptAnswer = .rosterWanted(stale: stale)
        }
    }

    mutating func rosterForAccept(
        _ groups: [GroupSummary], stale: Bool, _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws {
        lanes[record.id].acceptAnswer = nil
        lanes.account.groupsStale = true
        if groups.contains(where: { $0.group == record.serverID }) {
            // We are a member without a Welcome that fits: join from outside.
            inviteIsGone(row, &turn)
            try queueOnce(.rejoin, in: record.id, &turn)
        } else if stale {
            lanes.account.invitesStale = true
            delay(row, .inviteOutdated, &turn)
        } else if row.steps < Self.looksForRenewedInvite {
            // Perhaps it was taken back to be renewed: then the list of invites will show another in its place.
            var row = row
            row.steps += 1
            lanes.account.invitesStale = true
            delay(row, .inviteBeingRenewed, &turn)
        } else {
            forgetInvite(row, &turn)
            lanes.account.invitesStale = true
            _ = fail(row, .inviteGone, &turn)
        }
    }

    mutating func inviteIsGone(_ row: OutboxRow, _ turn: inout Turn) {
        forgetInvite(row, &turn)
        turn.draft.deleteOutbox(row)
        turn.notice(.done(row, sequence: nil))
        lanes.account.invitesStale = true
    }

    private mutating func forgetInvite(_ row: OutboxRow, _ turn: inout Turn) {
        switch row.intent {
        case .accept(let invite), .decline(let invite): turn.draft.delete(.invite, invite.bytes)
        default: break
        }
    }

    /// Joins by a Welcome. The keys are on disk before the server hears that the Welcome is no longer needed.
    mutating func join(by welcome: PendingWelcome, _ turn: inout Turn) throws {
        guard try mayEnter(welcome.group, turn) else {
            // No one here has accepted it: it stays on the server, and is shown as an invite.
            try offer(welcome.group, name: "", alias: welcome.groupAlias, &turn)
            return
        }
        defer {
            if !lanes.account.welcomesToAccept.contains(welcome.welcome) {
                lanes.account.welcomesToAccept.append(welcome.welcome)
            }
        }
        let known = try localGroup(welcome.group, turn)
        // Old news: the Welcome was used already, and the acknowledgement got lost. Using one twice would use its
        // ratchet keys twice.
        let used = Keys.seen(welcome.group, welcome: sha256(welcome.message))
        if known?.status == .active { return }
        if try turn.draft.value(.seen, used) != nil { return }
        turn.draft.put(.seen, used, SeenRecord.row(era: 0, sequence: 0))
        var record =
            known
            ?? GroupRecord(
                id: welcome.group, serverID: welcome.group, name: "", alias: welcome.groupAlias, status: .keyless)
        var bundles: [(record: KeyPackageRecord, key: [UInt8], bundle: KeyPackageBundle)] = []
        for stored in try turn.draft.page(.keyPackage, prefix: []) {
            let package = try KeyPackageRecord(stored: stored.value)
            bundles.append((package, stored.key, try package.bundle(crypto)))
        }
        do {
            let (group, used, tag) = try Group.join(
                welcome: welcome.message, bundles: bundles.map(\.bundle), crypto: crypto, configuration: .room,
                now: nil)
            try checkOneLeafEach(group)
            if !record.mlsGroupID.isEmpty, record.mlsGroupID != group.groupID {
                throw MLSError(.wrongGroup, "the Welcome leads into another group")
            }
            record.status = .active
            record.mlsGroupID = group.groupID
            record.epoch = group.epoch
            record.joinedEpoch = group.epoch
            record.joinTag = tag
            record.rivalSeen = false
            record.entry = .unproven
            record.entryBy = nil
            record.hasHole = false
            try wipeState(record.id, &turn)
            try unseal(record.id, &turn)
            try noteTree(of: group, record.id, &turn)
            keep(record.id, group, &turn)
            if let package = bundles.first(where: { $0.key == used.bytes }) {
                try spend(package.record, package.key, in: record.id, &turn)
            }
            var account = try account(turn)
            account.keyPackagesOwed += 1
            turn.draft.put(account)
            lanes.account.keyPackagesUnchecked = true
            let signer = group.welcomer.flatMap { group.member(at: $0) }
            _ = try enterRoom(
                group, by: .welcome(signer: signer), after: turn.draft.room(record.id), in: &record,
                time: 0, &turn)
        } catch let error as MLSError {
            // It fits no key package we hold, or is damaged. We are on the roster: join from outside.
            turn.draft.put(record)
            try queueOnce(.rejoin, in: record.id, &turn)
            _ = error
            return
        }
        turn.draft.put(record)
        lanes[record.id].needsFetch = true
        lanes[record.id].rosterWanted = lanes.account.round + 1
        lanes.account.groupsStale = true
    }

    /// The list of invites to us has come.
    mutating func invitesCame(_ invites: [PendingInvite], _ turn: inout Turn) throws {
        let known = try turn.draft.invites()
        let me = try account(turn).userID
        for old in known where !old.isUnasked && !invites.contains(where: { $0.invite == old.id }) {
            turn.draft.delete(.invite, old.id.bytes)
        }
        for invite in invites where invite.invitee == me {
            let record = InviteRecord(invite)
            try nameCame(invite.inviterUsername, alias: nil, of: invite.inviter, &turn)
            if !known.contains(record) {
                turn.draft.put(.invite, record.id.bytes, record)
                turn.notice(.invite(record))
            }
            // An invite that we accepted was renewed under a new id, perhaps after we found the old one gone.
            let group = try localGroup(invite.group, turn)?.id ?? invite.group
            for var row in try turn.draft.outbox(group) where row.state != .sending {
                guard case .accept(let old) = row.intent, old != invite.invite, lanes[group].acceptAnswer == nil
                else { continue }
                row.intent = .accept(invite: invite.invite)
                row.state = .queued
                row.attempts = 0
                row.steps = 0
                row.notBefore = nil
                turn.draft.put(row)
                lanes.wake(group)
                lanes.ask(group)
            }
        }
    }
}
