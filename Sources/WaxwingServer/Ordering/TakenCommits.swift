import ConclaveProtocol
import Foundation

/// Which row of the log holds the commit that was taken for an epoch. It outlives the row: whoever has not seen a commit that is gone from the log
/// must not be able to open its epoch again.
extension Transaction {
    func note(takenCommit epoch: UInt64, at sequence: UInt64, of group: ID) throws {
        try execute(
            """
            INSERT INTO taken_commit (group_id, epoch, sequence) VALUES (?, ?, ?)
            ON CONFLICT (group_id, epoch) DO UPDATE SET sequence = excluded.sequence
            """,
            [group.blob, Self.sortable(epoch), Int64(clamping: sequence)])
    }

    /// Whether one of the commits that were taken for the epochs in `range` is no longer in the log.
    func hasLostCommit(of range: ClosedRange<UInt64>, in group: ID) throws -> Bool {
        try exists(
            """
            SELECT 1 FROM taken_commit AS taken WHERE group_id = ? AND epoch BETWEEN ? AND ? AND NOT EXISTS (
                SELECT 1 FROM message WHERE group_id = taken.group_id AND sequence = taken.sequence)
            LIMIT 1
            """,
            [group.blob, Self.sortable(range.lowerBound), Self.sortable(range.upperBound)])
    }

    /// What every member has fetched nobody can miss.
    func forgetTakenCommits(everyoneHasOf group: Data) throws {
        try execute(
            """
            DELETE FROM taken_commit WHERE group_id = ?
                AND sequence <= (SELECT min(acknowledged) FROM member WHERE group_id = taken_commit.group_id)
            """,
            [group])
    }

    /// Of the commits whose rows have expired the last one says it all: nobody may go back behind it.
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

    /// Eight bytes that compare as the number does, which SQLite's signed integers would not.
    private static func sortable(_ epoch: UInt64) -> Data {
        Data((0..<8).map { UInt8(truncatingIfNeeded: epoch >> (56 - 8 * UInt64($0))) })
    }
}
