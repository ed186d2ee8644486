import ConclaveProtocol
import MLS

/// Messages of our own: those whose answer came before their row, and those that this profile did not write.
extension ClientCore {
    /// The history row was written when the POST was answered, by our own clock; all members show the server's time.
    mutating func takeServerTime(of row: InboxRow, in group: OpenGroup, _ turn: inout Turn) throws {
        let key = Keys.history(group.id, era: row.era, sequence: row.sequence)
        guard var history = try turn.draft.record(.history, key, as: HistoryRow.self), history.time != row.time else {
            return
        }
        history.time = row.time
        turn.draft.put(.history, key, history)
    }

    /// The answer to a message of ours named a higher number than its row has: it was damaged on its way. The log is
    /// right, and another row will come under that number.
    mutating func takePlace(
        of row: InboxRow, _ digest: [UInt8], insteadOf claimed: UInt64, in group: OpenGroup, _ turn: inout Turn
    ) throws {
        let key = Keys.history(group.id, era: row.era, sequence: claimed)
        guard var line: HistoryRow = try turn.draft.record(.history, key), line.digest == digest,
            line.sender == (try account(turn).userID)
        else { return }
        turn.draft.delete(.history, key)
        line.sequence = row.sequence
        line.time = row.time
        turn.draft.putHistory(line, in: group.record)
    }

    // MARK: Written elsewhere

    /// Handles a message in our name that this profile has not sealed.
    ///
    /// If it opens with a key of ours that was never used here, and says what we never said here, our own signature is
    /// on words that are not from here: another copy of the profile wrote it, or a later state from before this one was
    /// restored. Someone else has used our keys, or will. Two things prove nothing: what we did say, which any member
    /// can seal again under a later key (RFC 9420 §6.3.2), and anything under a key that was already used.
    mutating func applyOwnFromElsewhere(
        _ row: InboxRow, _ digest: [UInt8], epoch: UInt64, in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        let me = try account(turn).userID
        let opened: OpenedMessage
        do throws(MLSError) {
            guard let message = try group.state?.open(row.message, isOwn: true) else { return }
            opened = message
        } catch {
            try keepUnreadable(
                row, digest, row.sender == me ? .ownLostState : .forged, epoch: epoch, in: group, &turn)
            if error.code == .generationReused, epoch == group.record.epoch { try sealAnew(group.record, &turn) }
            return
        }
        let message = opened.message
        let messageID = MessageID(message.authenticatedData)
        let waiting = try turn.draft.outbox(group.id).first { row in
            if case .message(_, let id) = row.intent { id == messageID } else { false }
        }
        let mark = try messageID.flatMap { id -> SeenRecord? in
            try turn.draft.record(.seen, Keys.seen(group.id, sender: me, message: id))
        }
        switch mark {
        case .own, .row:
            // It is ours. Only what has never left this profile is known to no member.
            guard let waiting, waiting.attempts == 0 else {
                if opened.passedOver == 0 { group.state?.take(opened) }
                return
            }
        case .imported(let era, let sequence):
            try dropImported(at: (era, sequence), for: row, in: group, &turn) {
                $0.sender == me && $0.messageID == messageID
            }
        case nil: break
        }
        group.state?.take(opened)
        if case .imported = mark {} else { try keysAreSpent(group.record, epoch: message.epoch, &turn) }
        if let waiting {
            // Both copies had it in their outbox.
            try settle(
                waiting, in: group.record, era: row.era, sequence: row.sequence, time: row.time, digest: digest, &turn)
            return
        }
        if let messageID {
            let key = Keys.seen(group.id, sender: me, message: messageID)
            turn.draft.put(.seen, key, SeenRecord.row(era: row.era, sequence: row.sequence))
        }
        turn.draft.putLine(message, of: row, digest, by: me, in: group.record)
    }

    /// It is proven that someone else has our keys of an epoch. Handled once in each epoch: the next one has other
    /// keys.
    private mutating func keysAreSpent(_ record: GroupRecord, epoch: UInt64, _ turn: inout Turn) throws {
        guard epoch == record.epoch, try !turn.draft.epoch(of: record).areKeysSpent else { return }
        try renewAllKeys(&turn)
        turn.notice(.writtenElsewhere(group: record.id))
    }

    /// Perhaps a key of ours was used twice: what waits gets another one, or readers would take it for a copy. They
    /// skip a second copy by its id. Any member can bring this about, so there is a limit.
    private func sealAnew(_ record: GroupRecord, _ turn: inout Turn) throws {
        var epoch = try turn.draft.epoch(of: record)
        guard epoch.timesSealedAnew < ClientLimits.timesSealedAnew else { return }
        epoch.timesSealedAnew += 1
        turn.draft.put(epoch, for: record.id)
        try unseal(record.id, &turn)
    }
}
