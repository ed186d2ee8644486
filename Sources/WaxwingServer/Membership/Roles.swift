import ConclaveProtocol

/// Who may manage the group.
extension Transaction {
    func promote(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WirePromoteMemberRequest.self)
        let group = try groupForAdmin(call)
        let user = try decodeID(request.userID, "user_id")
        guard try requireRole(of: user, in: group.id) == .member else {
            throw APIError.conflict("the user is an admin already")
        }
        return try setRole(.admin, of: user, in: group.id)
    }

    func demote(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireDemoteMemberRequest.self)
        let group = try groupForAdmin(call)
        let user = try decodeID(request.userID, "user_id")
        guard try requireRole(of: user, in: group.id) == .admin else {
            throw APIError.badRequest("the user is not an admin")
        }
        guard
            try exists(
                "SELECT 1 FROM member WHERE group_id = ? AND role = 2 AND user_id <> ?", [group.id.blob, user.blob])
        else { throw APIError.badRequest("a group keeps at least one admin") }
        return try setRole(.member, of: user, in: group.id)
    }

    func listAdmins(_ call: ServerCall) throws -> Answer {
        let group = try groupForMember(call)
        let admins = try roster(of: group.id, role: .admin)
        return try Answer(WireListAdminsResponse.with { $0.admins = admins })
    }

    private func requireRole(of user: ID, in group: ID) throws -> WireGroupRole {
        try requireUser(user)
        guard let role = try role(of: user, in: group) else { throw APIError.badRequest("the user is not a member") }
        return role
    }

    private func setRole(_ role: WireGroupRole, of user: ID, in group: ID) throws -> Answer {
        try execute(
            "UPDATE member SET role = ? WHERE group_id = ? AND user_id = ?", [role.rawValue, group.blob, user.blob])
        try announce(.groupUpdate(of: group, .roleChange), to: try members(of: group))
        return Answer()
    }
}
