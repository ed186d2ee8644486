import ConclaveProtocol
import Foundation

/// The confirmation tags of the commits that are in a group's log, or were recently. A GroupInfo has the tag of the
/// commit that led to it (RFC 9420 §12.4.3), so they tell a GroupInfo that belongs to the group from one that anyone
/// made up.
///
/// A tag is kept for as long as its row, whoever sent it and whatever became of it; of those whose rows are gone the
/// last ``ServerLimits/outlivedTags`` stay. So no one can push out the tag of a commit that others still read.
extension Transaction {
    /// - Parameter sequence: the commit's row.
    func note(tag: Data, of epoch: UInt64, at sequence: UInt64, in group: ID) throws {
        try execute(
            """
            INSERT INTO commit_tag (group_id, epoch, tag, sequence) VALUES (?, ?, ?, ?)
            ON CONFLICT (group_id, epoch, tag) DO UPDATE SET sequence = excluded.sequence
            """,
            [group.blob, Self.sortable(epoch), tag, Int64(clamping: sequence)])
        try execute(
            "UPDATE chat SET tags_from = ? WHERE id = ? AND tags_from IS NULL",
            [Int64(bitPattern: epoch), group.blob])
        try execute(
            """
            DELETE FROM commit_tag WHERE group_id = ?1 AND sequence < (
                SELECT later.sequence FROM commit_tag AS later
                WHERE later.group_id = ?1 AND later.sequence < coalesce(
                    (SELECT min(sequence) FROM message WHERE group_id = ?1),
                    (SELECT last_sequence + 1 FROM chat WHERE id = ?1))
                ORDER BY later.sequence DESC LIMIT 1 OFFSET \(ServerLimits.outlivedTags - 1))
            """,
            [group.blob])
    }

    /// Whether a commit that led into `epoch` with this tag was accepted.
    func isKnown(tag: [UInt8], into epoch: UInt64, of group: ID) throws -> Bool {
        guard epoch > 0 else { return false }
        return try exists(
            "SELECT 1 FROM commit_tag WHERE group_id = ? AND epoch = ? AND tag = ?",
            [group.blob, Self.sortable(epoch - 1), Data(tag)])
    }

    /// Whether the commit that led into `epoch` may have been accepted before tags were recorded: the group is older
    /// than that, and has had no commit since, or only a few.
    func isOlderThanTags(_ epoch: UInt64, of group: GroupRow) throws -> Bool {
        guard let first = group.tagsFrom else { return true }
        guard first > 0, epoch <= first else { return false }
        let row = try row("SELECT max(epoch) FROM commit_tag WHERE group_id = ?", [group.id.blob])
        guard let last: Data = row?[0] else { return true }
        let end = first.addingReportingOverflow(ServerLimits.epochsWithOlderGroupInfos)
        return end.overflow || last.lexicographicallyPrecedes(Self.sortable(end.partialValue))
    }
}
