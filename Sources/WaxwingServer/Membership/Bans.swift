import ConclaveProtocol

/// Users whom the admins keep out.
extension Transaction {
    /// Anyone but oneself can be banned. A member is also removed, and a pending invite is withdrawn.
    func ban(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireBanMemberRequest.self)
        let group = try groupForAdmin(call)
        let user = try decodeID(request.userID, "user_id")
        try requireUser(user)
        guard user != call.user else { throw APIError.badRequest("nobody bans himself") }
        guard try !isBanned(user, from: group.id) else { throw APIError.conflict("the user is banned already") }
        if try role(of: user, in: group.id) != nil {
            try remove(user, from: group, commit: request.commitMessage, groupInfo: request.groupInfo, by: call)
        }
        try cancelInvites("group_id = ? AND invitee_id = ?", [group.id.blob, user.blob])
        try execute(
            "INSERT INTO ban (group_id, user_id, banned_by, banned_at) VALUES (?, ?, ?, ?)",
            [group.id.blob, user.blob, call.user.blob, now])
        return Answer()
    }

    func unban(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireUnbanMemberRequest.self)
        let group = try groupForAdmin(call)
        let user = try decodeID(request.userID, "user_id")
        try requireUser(user)
        guard try isBanned(user, from: group.id) else { throw APIError.badRequest("the user is not banned") }
        try execute("DELETE FROM ban WHERE group_id = ? AND user_id = ?", [group.id.blob, user.blob])
        return Answer()
    }

    func listBanned(_ call: ServerCall) throws -> Answer {
        let group = try groupForAdmin(call)
        let rows = try rows(
            """
            SELECT user.id, user.username, user.alias, ban.banned_at, ban.banned_by
            FROM ban JOIN user ON user.id = ban.user_id WHERE ban.group_id = ? ORDER BY user.username
            """,
            [group.id.blob])
        let response = WireListBannedUsersResponse.with {
            $0.users = rows.map { row in
                WireBannedUser.with {
                    $0.userID = row[0]
                    $0.username = row[1]
                    $0.alias = row[2]
                    $0.bannedAt = UInt64(bitPattern: row[3] as Int64)
                    $0.bannedBy = row[4]
                }
            }
        }
        return try Answer(response)
    }

    /// - Throws: 403/403.
    func requireNotBanned(_ user: ID, from group: ID) throws {
        guard try !isBanned(user, from: group) else { throw APIError.banned }
    }

    private func isBanned(_ user: ID, from group: ID) throws -> Bool {
        try exists("SELECT 1 FROM ban WHERE group_id = ? AND user_id = ?", [group.blob, user.blob])
    }
}
