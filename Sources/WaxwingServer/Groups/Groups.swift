import ConclaveProtocol
import Foundation
import GRDB

/// Creating, changing and deleting groups.
extension Transaction {
    func createGroup(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireCreateGroupRequest.self)
        try Validation.name(request.groupName, what: "group name")
        try Validation.alias(request.alias)
        try requireRoomForGroup(of: call.user)
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
        if request.updateMessageExpiry, let retention = configuration.retention, expiry > retention {
            throw APIError.validation("this server deletes messages after \(retention) s; no group keeps them longer")
        }
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
        try delete(group: groupForAdmin(call).id)
        return Answer()
    }

    /// With everything in it; its members and the invited are told.
    func delete(group: ID) throws {
        let formerMembers = try members(of: group)
        try erase(group: group, members: formerMembers)
        try announce(.groupDeleted(group), to: formerMembers)
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
