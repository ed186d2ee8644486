import ConclaveProtocol
import Foundation

/// Which row of the log holds the commit that was accepted for an epoch. This outlives the row: a member who has not
/// seen a commit that is gone from the log must not be able to open its epoch again.
extension Transaction {
    func note(takenCommit epoch: UInt64, at sequence: UInt64, of group: ID) throws {
        try execute(
            """
            INSERT INTO taken_commit (group_id, epoch, sequence) VALUES (?, ?, ?)
            ON CONFLICT (group_id, epoch) DO UPDATE SET sequence = excluded.sequence
            """,
            [group.blob, Self.sortable(epoch), Int64(clamping: sequence)])
    }

    /// The row of the commit that was counted for an epoch, if it is still in the log.
    func takenCommit(of epoch: UInt64, in group: ID) throws -> UInt64? {
        let row = try row(
            """
            SELECT sequence FROM taken_commit AS taken WHERE group_id = ? AND epoch = ? AND EXISTS (
                SELECT 1 FROM message WHERE group_id = taken.group_id AND sequence = taken.sequence)
            """,
            [group.blob, Self.sortable(epoch)])
        return row.map { UInt64(max(0, $0[0] as Int64)) }
    }

    /// Whether the count went past an epoch without a commit for it, as it does for a member who is alone. If an
    /// earlier one is still remembered, one of this epoch would be, too.
    func wasSkipped(_ epoch: UInt64, in group: ID) throws -> Bool {
        let row = try row(
            "SELECT max(epoch) FROM taken_commit WHERE group_id = ? AND epoch <= ?",
            [group.blob, Self.sortable(epoch)])
        guard let last: Data = row?[0] else { return false }
        return last != Self.sortable(epoch)
    }

    /// Whether one of the commits that were accepted for the epochs in `range` is no longer in the log.
    func hasLostCommit(of range: ClosedRange<UInt64>, in group: ID) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM taken_commit AS taken WHERE group_id = ? AND epoch BETWEEN ? AND ? AND NOT EXISTS (
                SELECT 1 FROM message WHERE group_id = taken.group_id AND sequence = taken.sequence)
            LIMIT 1
            """,
            [group.blob, Self.sortable(range.lowerBound), Self.sortable(range.upperBound)])
    }

    /// No one can miss what every member has fetched.
    func forgetTakenCommits(everyoneHasOf group: Data) throws {
        try execute(
            """
            DELETE FROM taken_commit WHERE group_id = ?
                AND sequence <= (SELECT min(acknowledged) FROM member WHERE group_id = taken_commit.group_id)
            """,
            [group])
    }

    /// Of the commits whose rows have expired, the last one is enough: no one may go back behind it.
    func forgetOutlivedCommits() throws {
        try execute(
            """
            DELETE FROM taken_commit WHERE sequence < (
                SELECT max(later.sequence) FROM taken_commit AS later
                WHERE later.group_id = taken_commit.group_id AND later.sequence < coalesce(
                    (SELECT min(sequence) FROM message WHERE group_id = taken_commit.group_id),
                    (SELECT last_sequence + 1 FROM chat WHERE id = taken_commit.group_id)))
            """)
    }

    /// Eight bytes that compare as the number does, unlike SQLite's signed integers.
    static func sortable(_ epoch: UInt64) -> Data {
        Data((0..<8).map { UInt8(truncatingIfNeeded: epoch >> (56 - 8 * UInt64($0))) })
    }
}
