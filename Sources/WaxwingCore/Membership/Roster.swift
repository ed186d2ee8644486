import ConclaveProtocol
import MLS

/// The server's roster, and what follows if it differs from the tree.
extension ClientCore {
    mutating func rosterCame(_ groups: [GroupSummary], _ turn: inout Turn) throws {
        let me = try account(turn).userID
        let isFirst = try isFirstRoster(turn)
        if isFirst { turn.draft.put(.account, Keys.rosterSeen, [1]) }
        for summary in groups {
            for member in summary.members {
                try nameCame(member.username, alias: member.alias, of: member.user, &turn)
            }
            try update(summary, me, isFirst: isFirst, &turn)
        }
        let listed = Set(groups.map(\.group))
        try withdrawOffers(except: listed, &turn)
        for record in try turn.draft.groups() {
            guard let serverID = record.serverID, !listed.contains(serverID), record.status == .active else { continue }
            try isOffTheList(record, &turn)
        }
        try lookForNames(turn)
    }

    /// People on no roster of ours whose names were asked for before and never came: asked for again with each
    /// connection.
    private mutating func lookForNames(_ turn: Turn) throws {
        guard lanes.account.namesUnsought else { return }
        lanes.account.namesUnsought = false
        for stored in try turn.draft.page(.user, prefix: []) {
            guard let id = ID(stored.key), try UserRecord(stored: stored.value).name.isEmpty else { continue }
            wantName(of: id, turn)
        }
    }

    /// The server does not list a group that we are in. That alone is no reason to delete its keys: the list may be
    /// older than our joining, or may not come from the server at all. We are out only if our page of its log is
    /// refused, too.
    private mutating func isOffTheList(_ record: GroupRecord, _ turn: inout Turn) throws {
        let lane = lanes[record.id]
        guard lanes.account.roundDone >= lane.rosterWanted else {
            lanes.account.groupsStale = true
            return
        }
        guard lane.isRefused else {
            lanes[record.id].needsFetch = true
            return
        }
        for row in try turn.draft.outbox(record.id) where row.intent == .leave && !row.isFailed {
            // It was us: the answer to our leaving got lost.
            turn.draft.deleteOutbox(row)
            turn.notice(.done(row, sequence: nil))
            try end(record, as: .left, .weLeft, &turn)
            return
        }
        if lane.isDeleted {
            try end(record, as: .deleted, .groupDeleted, &turn)
        } else {
            try end(record, as: .removed, .weWereRemoved, &turn)
        }
    }

    private mutating func update(_ summary: GroupSummary, _ me: ID, isFirst: Bool, _ turn: inout Turn) throws {
        guard summary.members.contains(where: { $0.user == me }) else { return }
        var record: GroupRecord
        if let known = try localGroup(summary.group, turn) {
            record = known
        } else {
            // The server's side of a group that is being created here: its own row will claim it.
            if try isBeingCreated(summary, turn) { return }
            guard isFirst else {
                try offer(summary.group, name: summary.name, alias: summary.alias, &turn)
                return
            }
            record = GroupRecord(
                id: summary.group, serverID: summary.group, name: summary.name, alias: summary.alias, status: .keyless)
        }
        let before = try turn.draft.group(record.id)
        switch record.status {
        case .creating, .active, .keyless: break
        // The leaving has not come through yet.
        case .left: return
        // Back on the roster: a Welcome is on its way. Or known from an archive, and a member after all.
        case .removed, .deleted:
            guard try mayEnter(summary.group, turn) else {
                try offer(summary.group, name: summary.name, alias: summary.alias, &turn)
                return
            }
            record.status = .keyless
        case .imported: record.status = .keyless
        }
        record.name = summary.name
        record.alias = InputRules.kept(alias: summary.alias)
        let known = try turn.draft.membership(record.id)
        var membership = known
        membership.note(
            roster: summary.members.map { MembershipRecord.RosterEntry(user: $0.user, isAdmin: $0.isAdmin) },
            era: record.era)
        if membership != known { turn.draft.put(membership, for: record.id) }
        // A roster that may be older than the tree says nothing about those who joined since.
        if lanes.account.roundDone >= lanes[record.id].rosterWanted {
            try judgeByRoster(&record, membership, &turn)
        }
        if record != before { turn.draft.put(record) }
        tellGoneInvites(of: record.id, membership, &turn)
        if try isMemberWithoutKeys(record, turn) {
            // The Welcomes are asked for after the roster: what made us a member is then among them.
            lanes.account.keysMissing.insert(record.id)
            lanes.account.welcomesStale = true
        }
        try compareWithTree(record, &turn)
    }

    /// Whether we are a member by the roster, on a device that never had the group's keys: a new profile of an old
    /// account, or one that stopped between joining a public group and entering its tree. A group that we were in
    /// before, and were removed from, is left to a Welcome or to people: the roster alone must not bring anyone back.
    private func isMemberWithoutKeys(_ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard record.status == .keyless, record.mlsGroupID.isEmpty else { return false }
        // Failed ones count, too: they wait for someone's decision.
        return try !turn.draft.outbox(record.id).contains { row in
            if case .accept = row.intent { true } else { row.intent == .rejoin }
        }
    }

    /// The Welcomes have come and were processed: groups still without keys are joined from outside.
    mutating func comeBackWithoutWelcome(_ turn: inout Turn) throws {
        let missing = lanes.account.keysMissing
        lanes.account.keysMissing = []
        for id in missing.sorted() {
            guard let record = try turn.draft.group(id), try isMemberWithoutKeys(record, turn) else { continue }
            try queueOnce(.rejoin, in: id, &turn)
        }
    }

    private func isBeingCreated(_ summary: GroupSummary, _ turn: Turn) throws -> Bool {
        try turn.draft.groups().contains {
            $0.status == .creating && $0.serverID == nil && $0.name == summary.name
        }
    }

    /// Evicts people who left. A leaver stays in the tree until another member commits the Remove. Each member waits
    /// its turn, so that usually one does.
    mutating func compareWithTree(_ record: GroupRecord, _ turn: inout Turn) throws {
        let me = try account(turn).userID
        let lane = lanes[record.id]
        guard record.status == .active else { return }
        // Only a roster that is younger than the tree can say that someone left.
        guard !lane.needsFetch, !lane.overlap, lanes.backlog[record.id] == nil else {
            lanes[record.id].rosterUncompared = true
            return
        }
        lanes[record.id].rosterUncompared = false
        guard lanes.account.roundDone >= lane.rosterWanted else {
            lanes.account.groupsStale = true
            return
        }
        let membership = try turn.draft.membership(record.id)
        let onRoster = Set(membership.roster.map(\.user))
        let members = membership.tree
        let gone = members.filter { !onRoster.contains($0) }
        let rank = members.filter { onRoster.contains($0) }.firstIndex(of: me) ?? 0
        let ourTurn = turn.deadline(afterMilliseconds: UInt64(rank) * ClientLimits.evictionStagger)
        // Those who are gone may have taken commits out of the log along with the account: what we have not seen must
        // not be overrun.
        if !gone.isEmpty { try lookAfterGroupInfo(of: record.id, atOnce: true, &turn) }
        // Someone whom only the server has dropped from its list is shown as such, and stays: no one here would sign
        // for that.
        let room = gone.isEmpty ? nil : try turn.draft.room(record.id)
        for user in gone where room?.leaf(of: user)?.isLeaving == true {
            try queueOnce(.evict(user: user), in: record.id, notBefore: ourTurn, &turn)
        }
        if !onRoster.isSubset(of: members) {
            // Someone is a member without keys and can only join from outside: for that the server must hold a living
            // GroupInfo.
            try lookAfterGroupInfo(of: record.id, &turn)
        }
    }

    /// Our part in a group is over, noticed outside its log.
    mutating func end(
        _ record: GroupRecord, as end: GroupEnd, _ kind: SystemEvent.Kind, _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        var group = OpenGroup(record: record, state: nil)
        try closeGroup(&group, as: end, &turn)
        turn.draft.put(group.record)
        // After everything that is there: the log itself can no longer be fetched, and a message of ours may be ahead
        // of the cursor.
        let shown = try turn.draft.lastSequence(record.id, era: record.era)
        let last = max(record.cursor, shown ?? 0)
        turn.draft.putHistory(
            HistoryRow(
                sequence: last == .max ? .max : last + 1, era: record.era, sender: me,
                time: serverClock.seconds(turn.moment), content: .system([SystemEvent(kind, actor: me)]),
                epoch: record.epoch),
            in: group.record)
    }

    /// A commit has removed us from the tree.
    ///
    /// - Returns: the lines that say so.
    mutating func weAreOut(
        by staged: StagedCommit, _ row: InboxRow, _ group: inout OpenGroup, _ turn: inout Turn
    ) throws -> [SystemEvent] {
        let me = try account(turn).userID
        let committer = ID(staged.committer.identity)
        guard staged.changes.external, committer == me else {
            let isUnlisted = RemovalNote(authenticatedData: staged.authenticatedData) != nil
            if let committer { try prove(&group.record, by: committer, fromOutside: staged.changes.external, turn) }
            try closeGroup(&group, as: .removed, &turn)
            return [
                SystemEvent(isUnlisted ? .weWereUnlisted : .weWereRemoved, actor: committer ?? row.sender, subject: me)
            ]
        }
        if try staged.committer.signatureKey == signer(turn).publicKey {
            try closeGroup(
                &group, as: .copyTookOver, &turn)
            return [SystemEvent(.copyTookOver, actor: me)]
        }
        try closeGroup(
            &group, as: .placeTaken, &turn)
        return [SystemEvent(.deviceReplaced, actor: me), SystemEvent(.weWereRemoved, actor: me)]
    }
}
