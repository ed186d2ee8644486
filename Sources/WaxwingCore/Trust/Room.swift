import ConclaveProtocol
import MLS

/// The tree is the room: at every entry into an epoch, the whole ratchet tree is compared with the known pairs of user
/// id and key.
extension ClientCore {
    /// Compares the tree with what was known, notes the differences, and judges them.
    ///
    /// - Parameters:
    ///   - known: what was known before; nil for a group that this profile was never in.
    ///   - time: of the row that led here, by the server's clock in Unix seconds; 0 if it is not known.
    /// - Returns: lines for what the row's own events do not tell.
    mutating func enterRoom(
        _ state: Group, by entrance: Entrance, after known: RoomRecord?, in record: inout GroupRecord, time: UInt64,
        _ turn: inout Turn
    ) throws -> [SystemEvent] {
        var room = known ?? RoomRecord()
        let me = try account(turn).userID
        var judge = try RoomJudge(
            me: me, room: room, membership: turn.draft.rememberMembership(record.id), level: turn.draft.trust(in: room),
            entrance: entrance, ownKey: signer(turn).publicKey)
        if !entrance.isCommit, let decided: RoomRecord = try turn.draft.record(.membership, Keys.decided(record.id)) {
            judge.decided = decided.leaves
        }
        let members = state.members
        // Both are in the order of the tree.
        var place = 0
        var leaves: [RoomRecord.Leaf] = []
        leaves.reserveCapacity(members.count)
        var events: [SystemEvent] = []
        for member in members {
            guard let user = ID(member.identity) else { continue }
            let index = member.index.value
            while place < room.leaves.count, room.leaves[place].index < index { place += 1 }
            let isTaken = place < room.leaves.count && room.leaves[place].index == index
            if isTaken, room.leaves[place].user == user, room.leaves[place].key == member.signatureKey {
                leaves.append(room.leaves[place])
                continue
            }
            // Members who came back with the key they had may be at another place.
            if var moved = room.leaves.first(where: { $0.user == user && $0.key == member.signatureKey }) {
                moved.index = index
                moved.epoch = state.epoch
                leaves.append(moved)
                continue
            }
            let old = isTaken ? room.leaves[place] : nil
            let digest = sha256(member.signatureKey)
            let seen = hexEncode(digest)
            let relation = try keyRelation(seen, of: user, turn)
            let leaf = judge.judge(
                member, user, digest: digest, relation, isOurs: member.index == state.ownLeaf, epoch: state.epoch,
                time: time)
            leaves.append(leaf)
            if user != me { events += try pin(seen, of: leaf, relation, replacing: old, in: record, &turn) }
        }
        if case .outside = entrance {
            let present = Set(leaves.map(\.user))
            for old in room.leaves where !present.contains(old.user) && old.user != me {
                events.append(SystemEvent(.gone, actor: me, subject: old.user))
            }
        }
        try vouchSoon(&leaves, awaitedIn: room, in: record, &turn)
        room.take(leaves, in: state.epoch)
        if record.entry != .proven, !entrance.isCommit,
            try turn.draft.value(.membership, Keys.roomBefore(record.id)) == nil
        {
            turn.draft.put(.membership, Keys.roomBefore(record.id), known ?? RoomRecord())
        }
        try turn.draft.put(room, for: record.id)
        record.hasNewMembers = room.leaves.contains(where: \.isNew)
        try sortHeld(room, in: &record, &turn)
        return judge.events + events
    }

    /// A commit that would have added someone came too late to count: they join from outside, and its author has still
    /// let them in.
    func awaitNewcomers(
        _ newcomers: [(identity: [UInt8], key: [UInt8])], of committer: Member, epoch: UInt64, in group: OpenGroup,
        _ turn: inout Turn
    ) throws {
        guard !newcomers.isEmpty, var room = try room(of: group.record, group.state, &turn) else { return }
        guard let author = ID(committer.identity), try mayAdd(committer, to: room, of: group.id, turn) else { return }
        for newcomer in newcomers {
            guard let user = ID(newcomer.identity) else { continue }
            if room.leaves.contains(where: { $0.user == user && $0.key == newcomer.key }) { continue }
            room.noteAwaited(user, key: newcomer.key, digest: sha256(newcomer.key), by: author, epoch: epoch)
        }
        try turn.draft.put(room, for: group.id)
    }

    /// Whether someone's word lets others in: they are accepted, and the server does not deny that they are an admin.
    /// Its word may raise an objection but never removes one.
    func mayAdd(_ author: Member, to room: RoomRecord, of group: ID, _ turn: Turn) throws -> Bool {
        let roster = try turn.draft.membership(group).roster
        return room.standing(of: author) == .accepted
            && !roster.contains { $0.user.bytes == author.identity && !$0.isAdmin }
    }

    /// Someone says that they leave: once the roster no longer lists them, they are removed from the tree.
    func noteLeaving(_ member: Member, in epoch: UInt64, of group: OpenGroup, _ turn: inout Turn) throws {
        guard var room = try room(of: group.record, group.state, &turn),
            let place = room.leaves.firstIndex(where: {
                $0.key == member.signatureKey && $0.user.bytes == member.identity
            })
        else { return }
        // Someone who has come back since is not leaving.
        guard room.leaves[place].epoch <= epoch else { return }
        room.leaves[place].isLeaving = true
        try turn.draft.put(room, for: group.id)
    }

    /// What is known of a group's members. If no record of them was kept so far, everyone who is there is known.
    func room(of record: GroupRecord, _ state: Group?, _ turn: inout Turn) throws -> RoomRecord? {
        if let room = try turn.draft.room(record.id), !room.leaves.isEmpty {
            try turn.draft.remember(room, of: record.id)
            return room
        }
        guard let state else { return try turn.draft.room(record.id) }
        var room = try turn.draft.room(record.id) ?? RoomRecord()
        for member in state.members {
            guard let user = ID(member.identity) else { continue }
            room.leaves.append(
                RoomRecord.Leaf(
                    index: member.index.value, user: user, key: member.signatureKey,
                    digest: sha256(member.signatureKey),
                    way: .earlier, by: nil,
                    standing: .accepted, objection: .none, epoch: record.joinedEpoch, since: 0, isNew: false))
        }
        try turn.draft.put(room, for: record.id)
        return room
    }

    /// The branch of a group by which we joined is settled: on a dead one there was no one to know.
    func settleRoom(of group: ID, isLiving: Bool, _ turn: inout Turn) throws {
        if isLiving { turn.draft.delete(.membership, Keys.decided(group)) }
        let key = Keys.roomBefore(group)
        guard var before: RoomRecord = try turn.draft.record(.membership, key) else { return }
        turn.draft.delete(.membership, key)
        if isLiving { return }
        let dead = try turn.draft.room(group)
        before.trust = dead?.trust
        // People are not asked again about members whom they have accepted meanwhile, or were told of.
        let decided: RoomRecord? = try turn.draft.record(.membership, Keys.decided(group))
        for place in before.leaves.indices where before.leaves[place].standing != .accepted {
            let leaf = before.leaves[place]
            let isDecided = decided?.leaves.contains { $0.user == leaf.user && $0.key == leaf.key } ?? false
            let isSettled = dead?.leaves.contains {
                $0.user == leaf.user && $0.key == leaf.key && $0.epoch == leaf.epoch && $0.standing == .accepted
            }
            if isDecided || isSettled ?? false { before.leaves[place].accept() }
        }
        try turn.draft.put(before, for: group)
    }

    /// Sets how much to ask from now on. What is held already stays held.
    func setTrust(_ level: TrustLevel?, in group: ID?, _ turn: inout Turn) throws {
        guard let group else {
            turn.draft.put(level ?? .usual)
            return
        }
        guard try turn.draft.group(group) != nil else { throw CoreError.unknownGroup }
        var room = try turn.draft.room(group) ?? RoomRecord()
        room.trust = level
        try turn.draft.put(room, for: group)
    }

    // MARK: What is held

    /// Holds messages back or frees them, as the room is now.
    mutating func sortHeld(_ room: RoomRecord, in record: inout GroupRecord, _ turn: inout Turn) throws {
        let (wasClosed, isClosed) = (record.isClosed, room.isClosed)
        record.isClosed = isClosed
        guard wasClosed || isClosed else { return }
        let isHeld = !room.holds.isEmpty
        for var row in try turn.draft.outbox(record.id) {
            guard case .message = row.intent else { continue }
            if isHeld, row.state == .queued {
                row.state = .held
            } else if !isHeld, row.state == .held {
                row.state = .queued
            } else {
                continue
            }
            row.trouble = nil
            turn.draft.put(row)
        }
        lanes.wake(record.id)
        lanes.ask(record.id)
        if isClosed, !isHeld {
            // Only a fresh roster can tell.
            lanes.account.groupsStale = true
        }
    }

    /// Messages do not leave before the room is judged, or while someone in it is held.
    mutating func holdBack(_ row: OutboxRow, _ turn: inout Turn) throws -> LaneStep {
        var row = row
        let room = try turn.draft.room(row.group) ?? RoomRecord()
        if room.holds.isEmpty, lanes.account.roundDone < max(1, lanes[row.group].rosterWanted) {
            row.state = .queued
            row.trouble = .rosterAwaited
            if try row != turn.draft.outboxRow(row.group, order: row.order) { turn.draft.put(row) }
            lanes.account.groupsStale = true
            return .rest
        }
        row.state = .held
        row.trouble = nil
        turn.draft.put(row)
        return .again
    }

    /// A fresh roster has come: does it deny that those who added someone may do so?
    mutating func judgeByRoster(_ record: inout GroupRecord, _ membership: MembershipRecord, _ turn: inout Turn) throws
    {
        guard record.isClosed, var room = try turn.draft.room(record.id) else { return }
        var isChanged = false
        // Someone added by a person who is not accepted in the end is not accepted either, so those who were there
        // first are judged first.
        for place in room.leaves.indices.sorted(by: { room.leaves[$0].epoch < room.leaves[$1].epoch })
        where room.leaves[place].standing == .unjudged {
            isChanged = true
            let adder = room.leaves[place].by
            let standing = room.leaves.first { $0.user == adder }?.standing ?? .accepted
            guard standing == .accepted || standing == .untold, membership.admins.contains(where: { $0 == adder })
            else {
                room.leaves[place].hold(for: standing == .accepted ? .addedByNonAdmin : .addedByUnaccepted)
                continue
            }
            if standing == .untold {
                room.leaves[place].tellFirst(because: .addedByUnaccepted)
                continue
            }
            room.leaves[place].accept()
            try pinIfUnknown(room.leaves[place], &turn)
        }
        guard isChanged else { return }
        try turn.draft.put(room, for: record.id)
        try sortHeld(room, in: &record, &turn)
    }

    // MARK: What people decide

    private mutating func put(_ room: RoomRecord, for record: inout GroupRecord, _ turn: inout Turn) throws {
        try turn.draft.put(room, for: record.id)
        try sortHeld(room, in: &record, &turn)
        turn.draft.put(record)
    }

    /// Someone has looked at a member and accepts them: messages may reach them.
    ///
    /// - Parameter fingerprint: of the key that was shown. Another one may be there by now.
    mutating func accept(_ user: ID, fingerprint shown: String, in group: ID, _ turn: inout Turn) throws {
        guard var record = try turn.draft.group(group), var room = try turn.draft.room(group),
            let place = room.leaves.firstIndex(where: { $0.user == user && $0.fingerprint == shown })
        else {
            throw CoreError.memberChanged
        }
        if room.leaves[place].objection == .ourName {
            throw CoreError.memberInOurName
        }
        room.leaves[place].accept()
        // One person is asked, not everyone.
        if try turn.draft.membership(group).admins.contains(account(turn).userID) {
            room.leaves[place].vouching = .wanted
            try queueOnce(.vouch, in: group, &turn)
        }
        // In other groups the key is asked about again, unless it is the first.
        try pinIfUnknown(room.leaves[place], &turn)
        try keepDecision(on: room.leaves[place], in: group, &turn)
        try put(room, for: &record, &turn)
    }

    /// A person's decision holds for the pair, even if the branch of the group on which they met it dies.
    private func keepDecision(on leaf: RoomRecord.Leaf, in group: ID, _ turn: inout Turn) throws {
        guard try turn.draft.value(.membership, Keys.roomBefore(group)) != nil else { return }
        var decided: RoomRecord = try turn.draft.record(.membership, Keys.decided(group)) ?? RoomRecord()
        decided.leaves = (decided.leaves + [leaf]).suffix(ClientLimits.decidedPairs)
        turn.draft.put(.membership, Keys.decided(group), decided)
    }

    /// People were told of members of a group: messages that waited for that may reach them.
    ///
    /// - Parameter told: up to which epoch of theirs.
    mutating func wereTold(_ told: [ID: UInt64], in group: ID, _ turn: inout Turn) throws {
        guard var record = try turn.draft.group(group), var room = try turn.draft.room(group) else { return }
        var isChanged = false
        for place in room.leaves.indices
        where room.leaves[place].standing == .untold && told[room.leaves[place].user] ?? 0 >= room.leaves[place].epoch {
            room.leaves[place].accept()
            isChanged = true
        }
        guard isChanged else { return }
        try put(room, for: &record, &turn)
    }

    /// A key that was verified is accepted wherever it appears.
    mutating func acceptEverywhere(_ user: ID, fingerprint shown: String, _ turn: inout Turn) throws {
        for var record in try turn.draft.groups() {
            guard var room = try turn.draft.room(record.id) else { continue }
            let places = room.leaves.indices.filter {
                let leaf = room.leaves[$0]
                return leaf.user == user && leaf.standing != .accepted && leaf.objection != .ourName
                    && leaf.fingerprint == shown
            }
            guard !places.isEmpty else { continue }
            for place in places {
                room.leaves[place].accept()
                try keepDecision(on: room.leaves[place], in: record.id, &turn)
            }
            try put(room, for: &record, &turn)
        }
    }

    /// A message of ours is in the log: those who could read it are not new any more.
    ///
    /// - Parameter epoch: for which it was sealed.
    func noteReached(_ record: GroupRecord, sealedFor epoch: UInt64, _ turn: inout Turn) throws {
        guard record.hasNewMembers, var record = try turn.draft.group(record.id) else { return }
        guard var room = try turn.draft.room(record.id) else { return }
        let new = room.leaves.indices.filter { room.leaves[$0].isNew && room.leaves[$0].epoch <= epoch }
        record.hasNewMembers = room.leaves.count { $0.isNew } > new.count
        turn.draft.put(record)
        guard !new.isEmpty else { return }
        turn.notice(.reached(group: record.id, users: new.map { room.leaves[$0].user }))
        for place in new { room.leaves[place].isNew = false }
        try turn.draft.put(room, for: record.id)
    }
}
