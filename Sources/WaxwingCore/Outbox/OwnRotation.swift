import ConclaveProtocol
import MLS

/// Changes our own keys without being asked, so that anyone who got hold of them can read on for a week or two and not
/// for ever (RFC 9420 §16.6).
///
/// Each member does so for their own leaf: some days after the last time, if anything was said since, or after some
/// thousands of rows. The days are counted by the server's clock if that differs from ours (``ServerClock``). No clock
/// is trusted further than this:
///
/// * A clock that jumps ahead has the keys changed once, as a long absence does: the new keys count from there.
/// * A clock that goes back does not delay the change: the wait begins again at the time it shows now. But each time,
///   more has to have been said before the next change, so that a clock that swings to and fro does not make a commit
///   of every swing.
/// * Within one run of the machine, a day has to pass on the clock that only goes forward.
///
/// In a room where nothing is said, nothing is changed: there is nothing to read, and one member's change would be the
/// others' reason for theirs.
extension ClientCore {
    /// Queues a change of our own keys if it is due. Called when the log is read to its end and nothing waits.
    ///
    /// - Returns: whether one was queued.
    mutating func rotateIfDue(_ record: GroupRecord, _ turn: inout Turn) throws -> Bool {
        guard record.status == .active, record.entry == .proven, !record.hasHole, lanes[record.id].hasReadLog else {
            return false
        }
        let moment = serverClock.seconds(turn.moment)
        guard var keys: OwnKeysRecord = try turn.draft.record(.membership, Keys.ownKeys(record.id)) else {
            // From an old record, or just joined: how old the keys are is not known.
            try keysAreNew(in: record, sequence: record.cursor, &turn)
            return false
        }
        if keys.era != record.era {
            // The server has restarted its numbering. What was said before no longer counts.
            (keys.era, keys.sequence) = (record.era, 0)
            turn.draft.put(.membership, Keys.ownKeys(record.id), keys)
        }
        if moment &+ ClientLimits.clockSkew < keys.since {
            keys.since = moment
            keys.setbacks += keys.setbacks == .max ? 0 : 1
            turn.draft.put(.membership, Keys.ownKeys(record.id), keys)
            return false
        }
        let spread = try spread(of: keys, in: record, turn)
        let age = moment < keys.since ? 0 : moment - keys.since
        let rows = record.cursor < keys.sequence ? 0 : record.cursor - keys.sequence
        let isOld = age >= ClientLimits.rotationAge + ClientLimits.rotationSpread * spread / 0xFFFF
        let isWorn = rows >= ClientLimits.rotationRows + ClientLimits.rotationRows * spread / 0xFFFF
        // The numbers of rows are the server's word, and must not make a commit of each sync either.
        let sameRun = keys.boot == turn.moment.boot && turn.moment.uptime >= keys.uptime
        let elapsed = sameRun ? (turn.moment.uptime - keys.uptime) / 1000 : age
        guard isOld || isWorn, elapsed >= ClientLimits.rotationPause else { return false }
        // There is no one to keep out.
        guard try turn.draft.membership(record.id).tree.count > 1 else { return false }
        let needed = 1 + Int(min(keys.setbacks, 20)) * ClientLimits.rotationTextsAfterSetback
        guard try hasTexts(needed, after: keys, in: record.id, turn) else { return false }

        // If this one fails, the next comes no sooner than after one that succeeds.
        try keysAreNew(in: record, sequence: record.cursor, &turn)
        // Several who are online hear of the same message, and may find at once that a change is due.
        let wait = link.live ? ClientLimits.rotationStagger * spread / 0xFFFF : 0
        let ourTurn = wait > 0 ? turn.deadline(afterMilliseconds: wait) : nil
        try queueOnce(.rotate, in: record.id, notBefore: ourTurn, &turn)
        return true
    }

    /// The profile is a copy, or was restored.
    mutating func profileMoved(_ turn: inout Turn) throws {
        guard try renewAllKeys(&turn) else { return }
        turn.outcome = .moved
        turn.notice(.profileMoved)
    }

    /// The keys we have may have been used by another copy of us, or by ourselves on a later day: readers would drop
    /// what is sealed with them. What waits is sealed again, with new keys.
    ///
    /// - Returns: whether there is a group with keys.
    @discardableResult
    mutating func renewAllKeys(_ turn: inout Turn) throws -> Bool {
        let active = try turn.draft.groups().filter { $0.status == .active }
        for record in active {
            var epoch = try turn.draft.epoch(of: record)
            epoch.areKeysSpent = true
            turn.draft.put(epoch, for: record.id)
            try unseal(record.id, &turn)
            try queueOnce(.rotate, in: record.id, &turn)
        }
        return !active.isEmpty
    }

    /// A message waits until the group has other keys, which are on their way.
    mutating func waitForNewKeys(_ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn) throws -> LaneStep {
        let change = try turn.draft.outbox(record.id).first { $0.intent == .rotate }
        if change == nil { try queueOnce(.rotate, in: record.id, &turn) }
        var waiting = row
        waiting.state = .queued
        waiting.trouble =
            change?.isFailed ?? false
            ? .newKeysRefused : .newKeysFirst
        if waiting != row { turn.draft.put(waiting) }
        if let notBefore = change?.notBefore, !notBefore.isDue(turn.moment) {
            lanes.sleep(record.id, until: notBefore)
        }
        return change == nil ? .again : .rest
    }

    /// Our own leaf has new keys since this row of the log.
    mutating func keysAreNew(in record: GroupRecord, sequence: UInt64, _ turn: inout Turn) throws {
        let old: OwnKeysRecord? = try turn.draft.record(.membership, Keys.ownKeys(record.id))
        let moment = serverClock.seconds(turn.moment)
        var setbacks = old?.setbacks ?? 0
        if let old, moment >= old.since, setbacks > 0 {
            // Time has run as it should for long enough: the clock is trusted a little more.
            if moment - old.since >= ClientLimits.rotationAge { setbacks -= 1 }
        }
        turn.draft.put(
            .membership, Keys.ownKeys(record.id),
            OwnKeysRecord(since: moment, turn.moment, era: record.era, sequence: sequence, setbacks: setbacks))
    }

    /// A number from 0 to 0xFFFF that spreads members out: it differs for each member, room and change. It comes from a
    /// hash and not from `entropy`, which is drawn for keys alone. That others can compute it does no harm.
    private func spread(of keys: OwnKeysRecord, in record: GroupRecord, _ turn: Turn) throws -> UInt64 {
        let place = keyBytes(UInt64(keys.era)) + keyBytes(keys.sequence)
        let hash = sha256(Array(try account(turn).fingerprint.utf8) + record.mlsGroupID + place)
        return UInt64(hash[0]) << 8 | UInt64(hash[1])
    }

    /// Whether this many texts, ours or others', came after the row from which the keys count.
    private func hasTexts(
        _ needed: Int, after keys: OwnKeysRecord, in group: ID, _ turn: Turn
    ) throws -> Bool {
        let end = Keys.history(group, era: keys.era, sequence: .max)
        var lower = Keys.history(group, era: keys.era, sequence: keys.sequence == .max ? .max : keys.sequence + 1)
        var count = 0
        for _ in 0..<ClientLimits.rotationPages {
            let page = try turn.draft.page(.history, from: lower, below: end, limit: ClientLimits.rowsPerRead)
            for stored in page {
                if case .text = try HistoryRow(stored: stored.value).content { count += 1 }
                if count >= needed { return true }
            }
            guard page.count == ClientLimits.rowsPerRead, let last = page.last else { return false }
            lower = last.key + [0]
        }
        return false
    }
}
