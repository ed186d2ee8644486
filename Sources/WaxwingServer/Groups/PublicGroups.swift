import ConclaveProtocol

/// Groups that anyone may find and join by an external commit.
extension Transaction {
    func listPublicGroups(_ call: ServerCall) throws -> Answer {
        let rows = try rows(
            """
            SELECT id, name, alias, (SELECT count(*) FROM member WHERE group_id = chat.id) FROM chat
            WHERE visibility = 2 AND instr(lower(name), lower(?)) > 0 ORDER BY name LIMIT \(ServerLimits.publicGroupsListed)
            """,
            [call.query["pattern"] ?? ""])
        let response = WireListPublicGroupsResponse.with {
            $0.groups = rows.map { row in
                WirePublicGroupInfo.with {
                    $0.groupID = row[0]
                    $0.groupName = row[1]
                    $0.alias = row[2]
                    $0.memberCount = row[3]
                }
            }
        }
        return try Answer(response)
    }

    /// Adds the caller to the roster; their leaf follows with an external join.
    func joinPublicGroup(_ call: ServerCall) throws -> Answer {
        let group = try group(call.path.id())
        guard group.isPublic else { throw APIError.groupNotPublic }
        try requireNotBanned(call.user, from: group.id)
        guard try role(of: call.user, in: group.id) == nil else {
            throw APIError.conflict("the caller is a member already")
        }
        guard try !hasInvite(call.user, to: group.id) else {
            throw APIError.conflict("an invite waits for the caller; accept or decline it")
        }
        try requireRoomForGroup(of: call.user)
        guard let groupInfo = try groupInfo(of: group.id) else {
            throw APIError.badRequest("no GroupInfo is stored, so nobody can join yet")
        }
        try addMember(call.user, to: group.id, role: .member, awaitsExternalJoin: true)
        return try Answer(WireGetGroupInfoResponse.with { $0.groupInfo = groupInfo })
    }
}
