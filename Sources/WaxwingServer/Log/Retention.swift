import ConclaveProtocol
import Foundation

/// Which rows of the logs may be deleted. The sequence numbers of deleted rows are never given out again.
extension Transaction {
    /// Whether this fetch tells something new in a group that deletes what everyone has: the caller's cursor moved.
    func fetchAcknowledges(_ call: ServerCall) throws -> Bool {
        let after = try MessagePage(call.query).after
        guard after > 0 else { return false }
        return try exists(
            """
            SELECT 1 FROM member JOIN chat ON chat.id = member.group_id
            WHERE member.group_id = ? AND member.user_id = ? AND chat.message_expiry = 0
                AND member.acknowledged < min(?, chat.last_sequence)
            """,
            [call.path.id().blob, call.user.blob, after])
    }

    /// `after` says what the caller has stored: rows that every member has are deleted.
    func acknowledge(_ call: ServerCall) throws {
        let group = try call.path.id().blob
        try execute(
            """
            UPDATE member SET acknowledged =
                max(acknowledged, min(?, (SELECT last_sequence FROM chat WHERE id = member.group_id)))
            WHERE group_id = ? AND user_id = ?
            """,
            [MessagePage(call.query).after, group, call.user.blob])
        try execute(
            """
            DELETE FROM message WHERE group_id = ?
                AND sequence <= (SELECT min(acknowledged) FROM member WHERE group_id = message.group_id)
            """,
            [group])
        try forgetTakenCommits(everyoneHasOf: group)
    }

    /// Deletes what is older than its group or the operator keeps it.
    func expireMessages() throws {
        let groups = try rows("SELECT id, message_expiry FROM chat WHERE message_expiry > 0")
        for group in groups {
            let id: Data = group[0]
            let seconds: Int64 = group[1]
            try execute(
                "DELETE FROM message WHERE group_id = ? AND created_at <= ?",
                [id, moments.earliest.clampedMinus(seconds)])
        }
        if let retention = configuration.retention {
            try execute("DELETE FROM message WHERE created_at <= ?", [moments.earliest.clampedMinus(retention)])
        }
        try forgetOutlivedCommits()
    }
}

extension Int64 {
    /// A group may ask for any number of seconds; times before 1970 count as 1970.
    func clampedMinus(_ other: Int64) -> Int64 {
        let (difference, overflow) = subtractingReportingOverflow(other)
        return overflow ? .min : difference
    }
}
