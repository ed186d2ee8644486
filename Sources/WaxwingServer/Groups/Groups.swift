import ConclaveProtocol
import Foundation
import GRDB

/// Creating, changing, deleting and listing groups.
extension Transaction {
    func createGroup(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireCreateGroupRequest.self)
        try Validation.name(request.groupName, what: "group name")
        try Validation.alias(request.alias)
        try requireFree(groupName: request.groupName)
        let id = try ID.random()
        try execute(
            """
            INSERT INTO chat (id, name, alias, message_expiry, visibility, last_sequence, created_at, tags_from)
            VALUES (?, ?, ?, -1, 1, 0, ?, 0)
            """,
            [id.blob, request.groupName, request.alias, now])
        try addMember(call.user, to: id, role: .admin)
        return try Answer(201, WireCreateGroupResponse.with { $0.groupID = id.blob })
    }

    /// proto3 cannot tell an absent string from an empty one: empty leaves the name or alias unchanged.
    func updateGroup(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireUpdateGroupRequest.self)
        let group = try groupForAdmin(call)
        if !request.groupName.isEmpty {
            try Validation.name(request.groupName, what: "group name")
            if request.groupName != group.name { try requireFree(groupName: request.groupName) }
        }
        try Validation.alias(request.alias)
        let expiry = request.updateMessageExpiry ? request.messageExpirySeconds : group.messageExpiry
        guard expiry >= -1 else { throw APIError.validation("a message expiry is -1, 0 or a number of seconds") }
        let isPublic =
            switch request.visibility {
            case .unspecified: group.isPublic
            case .private: false
            case .public: true
            case .UNRECOGNIZED: throw APIError.validation("an unknown visibility")
            }
        try execute(
            "UPDATE chat SET name = ?, alias = ?, message_expiry = ?, visibility = ? WHERE id = ?",
            [
                request.groupName.isEmpty ? group.name : request.groupName,
                request.alias.isEmpty ? group.alias : request.alias, expiry, isPublic ? 2 : 1, group.id.blob,
            ])
        try announce(.groupUpdate(of: group.id, .settings), to: try members(of: group.id))
        return Answer()
    }

    func deleteGroup(_ call: ServerCall) throws -> Answer {
        let group = try groupForAdmin(call)
        let formerMembers = try members(of: group.id)
        try cancelInvites("group_id = ?", [group.id.blob])
        try execute("DELETE FROM chat WHERE id = ?", [group.id.blob])
        try announce(.groupDeleted(group.id), to: formerMembers)
        return Answer()
    }

    func listGroups(_ call: ServerCall) throws -> Answer {
        let groups = try rows(
            """
            SELECT \(GroupRow.columns) FROM chat
            WHERE id IN (SELECT group_id FROM member WHERE user_id = ?) ORDER BY name
            """,
            [call.user.blob])
        let response = try WireListGroupsResponse.with { response in
            response.groups = try groups.map { row in
                let group = try GroupRow(row)
                return try WireGroupInfo.with {
                    $0.groupID = group.id.blob
                    $0.alias = group.alias
                    $0.groupName = group.name
                    $0.mlsGroupID = group.mlsGroupID ?? ""
                    $0.messageExpirySeconds = group.messageExpiry
                    $0.visibility = group.isPublic ? .public : .private
                    $0.members = try roster(of: group.id)
                }
            }
        }
        return try Answer(response)
    }

    /// Members sorted by username; only those of one role if one is given.
    func roster(of group: ID, role: WireGroupRole? = nil) throws -> [WireGroupMember] {
        let lowestRole = role?.rawValue ?? WireGroupRole.member.rawValue
        let rows = try rows(
            """
            SELECT user.id, user.username, user.alias, member.role, user.fingerprint
            FROM member JOIN user ON user.id = member.user_id
            WHERE member.group_id = ? AND member.role >= ? ORDER BY user.username
            """,
            [group.blob, lowestRole])
        return rows.map { row in
            WireGroupMember.with {
                $0.userID = row[0]
                $0.username = row[1]
                $0.alias = row[2]
                $0.role = WireGroupRole(rawValue: row[3]) ?? .member
                $0.signingKeyFingerprint = row[4]
            }
        }
    }

    func getRetention(_ call: ServerCall) throws -> Answer {
        let group = try groupForMember(call)
        return try Answer(
            WireGetRetentionPolicyResponse.with {
                $0.serverRetentionSeconds = configuration.retention ?? -1
                $0.groupExpirySeconds = group.messageExpiry
            })
    }

    private func requireFree(groupName: String) throws {
        guard try !exists("SELECT 1 FROM chat WHERE name = ?", [groupName]) else {
            throw APIError.conflict("the group name is taken")
        }
    }
}
