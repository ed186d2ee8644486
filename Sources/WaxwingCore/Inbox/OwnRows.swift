import ConclaveProtocol
import MLS

/// Messages of our own whose answer came before their row.
extension ClientCore {
    /// The history row was written when the POST was answered, by our own clock; all members show the server's.
    mutating func takeServerTime(of row: InboxRow, in group: OpenGroup, _ turn: inout Turn) throws {
        let key = Keys.history(group.id, era: row.era, sequence: row.sequence)
        guard var history = try turn.draft.record(.history, key, as: HistoryRow.self), history.time != row.time else {
            return
        }
        history.time = row.time
        turn.draft.put(.history, key, history)
    }

    /// The answer to a message of ours named a number further on than its row has: it was damaged on its way. The log is right, and another row will
    /// come under that number.
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
}
