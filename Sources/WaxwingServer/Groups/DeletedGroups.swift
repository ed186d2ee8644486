import ConclaveProtocol

/// Groups that are gone, and who was in them to the end: those are told so, however late they ask.
extension Transaction {
    /// Deletes a group with everything in it. Telling anyone is up to the caller.
    func erase(group: ID, members: [ID]) throws {
        try cancelInvites("group_id = ?", [group.blob])
        try execute("DELETE FROM chat WHERE id = ?", [group.blob])
        for user in members {
            try execute(
                "INSERT INTO deleted_group (user_id, group_id, deleted_at) VALUES (?, ?, ?)",
                [user.blob, group.blob, now])
            try execute(
                """
                DELETE FROM deleted_group WHERE user_id = ?1 AND group_id NOT IN (
                    SELECT group_id FROM deleted_group WHERE user_id = ?1
                    ORDER BY deleted_at DESC, group_id LIMIT \(ServerLimits.deletedGroups))
                """,
                [user.blob])
        }
    }

    func wasDeleted(_ group: ID, under user: ID) throws -> Bool {
        try exists("SELECT 1 FROM deleted_group WHERE user_id = ? AND group_id = ?", [user.blob, group.blob])
    }

    func forgetDeletedGroups() throws {
        try execute(
            "DELETE FROM deleted_group WHERE deleted_at <= ?",
            [moments.earliest.clampedMinus(ServerLimits.deletedGroupSeconds)])
    }
}
