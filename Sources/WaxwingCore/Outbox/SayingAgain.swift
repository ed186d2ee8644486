import ConclaveProtocol
import MLS

/// What we said where no one reads it: the branch we were on is dead, or the log is another one by now.
extension ClientCore {
    /// Moves our messages of a dead branch from the history back into the outbox, before what already waits there. They
    /// keep their ids, so anyone who has read one after all skips the second copy.
    ///
    /// - Parameter split: where the log became another one; nil if we joined by a dead commit.
    func sayAgain(_ record: GroupRecord, from split: UInt64?, _ turn: inout Turn) throws {
        let lost = try ownTexts(record, turn) { row in
            guard let split else { return row.epoch >= record.joinedEpoch }
            guard row.epoch >= split, row.era < record.era else { return false }
            // Others can read what the log, as it is numbered now, still has.
            if case .row(let era, _) = try turn.draft.seen(record.id, digest: row.digest) { return era < record.era }
            return true
        }
        guard !lost.isEmpty else { return }
        let waiting = try turn.draft.outbox(record.id).filter { row in
            if case .message = row.intent { row.state != .sending && !row.isFailed } else { false }
        }
        for text in lost.reversed() { try takeBack(text, in: record, as: .queued, &turn) }
        for old in waiting {
            var row = old
            row.order = try turn.draft.takeOrder()
            turn.draft.deleteOutbox(old)
            turn.draft.put(row)
            guard var line = try turn.draft.pendingHistory(record.id, order: old.order) else { continue }
            turn.draft.delete(.history, Keys.pendingHistory(record.id, order: old.order))
            line.outboxOrder = row.order
            turn.draft.putHistory(line, in: record)
        }
    }

    /// We are out of a group before anyone else was seen on the branch that we joined by: whether what we said there
    /// was read is not known any more. It stays in the outbox as failed, with its text.
    func keepUnread(_ record: GroupRecord, after end: GroupEnd, _ turn: inout Turn) throws {
        guard record.entry != .proven else { return }
        for text in try ownTexts(record, turn, where: { $0.epoch >= record.joinedEpoch }).reversed() {
            try takeBack(text, in: record, as: .failed(.unread(end)), &turn)
        }
    }

    private typealias OwnText = (key: [UInt8], line: HistoryRow, text: String, id: MessageID)

    /// Moves a message of ours from its place in the log back into the outbox.
    private func takeBack(
        _ lost: OwnText, in record: GroupRecord, as state: OutboxRow.State, _ turn: inout Turn
    ) throws {
        turn.draft.delete(.history, lost.key)
        var row = OutboxRow(
            order: try turn.draft.takeOrder(), group: record.id, intent: .message(text: lost.text, id: lost.id),
            createdAt: turn.now)
        row.state = state
        turn.draft.put(row)
        turn.draft.putHistory(
            HistoryRow(
                sequence: nil, era: 0, sender: lost.line.sender, time: lost.line.time, content: lost.line.content,
                messageID: lost.id, outboxOrder: row.order),
            in: record)
    }

    /// Our own messages that have a place in the log, the last one first, as far back as a condition holds for any.
    private func ownTexts(
        _ record: GroupRecord, _ turn: Turn, where isLost: (HistoryRow) throws -> Bool
    ) throws -> [OwnText] {
        let me = try account(turn).userID
        var found: [OwnText] = []
        var end = Keys.pendingHistory(record.id, order: 0)
        for _ in 0..<ClientLimits.pagesSaidAgain {
            let page = try turn.draft.store.page(
                .history, from: record.id.bytes, below: end, limit: ClientLimits.rowsPerRead, descending: true)
            for stored in page {
                guard let line: HistoryRow = try turn.draft.record(.history, stored.key), line.sender == me,
                    case .text(let text) = line.content, let id = line.messageID, try isLost(line)
                else { continue }
                found.append((stored.key, line, text, id))
            }
            guard page.count == ClientLimits.rowsPerRead, let last = page.last else { break }
            end = last.key
        }
        return found
    }
}
