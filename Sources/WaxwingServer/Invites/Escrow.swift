import ConclaveProtocol
import Foundation
import GRDB

/// Inviting: an admin takes key packages, builds commit and Welcome, and leaves both here until the invitee decides.
extension Transaction {
    func takeKeyPackages(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireInviteToGroupRequest.self)
        let group = try groupForAdmin(call)
        guard (1...ServerLimits.usersPerInvite).contains(request.userIds.count) else {
            throw APIError.badRequest("an invite names 1 to \(ServerLimits.usersPerInvite) users")
        }
        var invitees: [ID] = []
        for field in request.userIds {
            let invitee = try decodeID(field, "user_ids")
            if invitee != call.user && !invitees.contains(invitee) { invitees.append(invitee) }
        }
        if let allowance = configuration.quotas.keyPackages {
            try take(Int64(invitees.count), of: allowance, by: call.user)
        }
        let response = try WireInviteToGroupResponse.with { response in
            for invitee in invitees {
                try requireInvitable(invitee, to: group.id)
                let keyPackage = try consumeKeyPackage(of: invitee)
                response.memberKeyPackages.append(
                    .with {
                        $0.userID = invitee.blob
                        $0.keyPackageData = keyPackage
                    })
            }
        }
        return try Answer(response)
    }

    func escrowInvite(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireEscrowInviteRequest.self)
        let group = try groupForAdmin(call)
        let invitee = try decodeID(request.inviteeID, "invitee_id")
        guard !request.commitMessage.isEmpty, !request.welcomeMessage.isEmpty, !request.groupInfo.isEmpty else {
            throw APIError.badRequest("an escrowed invite needs a commit, a Welcome and a GroupInfo")
        }
        try requireInvitable(invitee, to: group.id)
        try requireRoom(for: call.body.count, of: call.user)
        try requireRoomForInvite(from: call.user, to: invitee)
        try checkEscrow(request.commitMessage, groupInfo: request.groupInfo, of: group)
        let id = try ID.random()
        try execute(
            """
            INSERT INTO invite (id, group_id, inviter_id, invitee_id, commit_message, welcome, group_info, created_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                id.blob, group.id.blob, call.user.blob, invitee.blob, request.commitMessage, request.welcomeMessage,
                request.groupInfo, now,
            ])
        let event = WireInviteReceivedEvent.with {
            $0.inviteID = id.blob
            $0.groupID = group.id.blob
            $0.groupName = group.name
            $0.groupAlias = group.alias
            $0.inviterID = call.user.blob
        }
        try announce(.inviteReceived(event), to: [invitee])
        return Answer()
    }

    func cancelInvite(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireCancelInviteRequest.self)
        let group = try groupForAdmin(call)
        let invitee = try decodeID(request.inviteeID, "invitee_id")
        guard try hasInvite(invitee, to: group.id) else { throw APIError.unknownInvite }
        try cancelInvites("group_id = ? AND invitee_id = ?", [group.id.blob, invitee.blob])
        return Answer()
    }

    func hasInvite(_ user: ID, to group: ID) throws -> Bool {
        try exists("SELECT 1 FROM invite WHERE group_id = ? AND invitee_id = ?", [group.blob, user.blob])
    }

    /// Withdraws invites and tells both sides, so that no one waits for an answer that cannot come.
    func cancelInvites(_ condition: String, _ arguments: StatementArguments) throws {
        let gone = try rows(
            "DELETE FROM invite WHERE \(condition) RETURNING group_id, inviter_id, invitee_id", arguments)
        for row in gone {
            let (group, inviter, invitee) = (try row.id(0), try row.id(1), try row.id(2))
            try announce(.inviteCancelled(in: group), to: [invitee])
            try announce(.inviteDeclined(in: group, user: invitee), to: [inviter])
        }
    }

    /// - Throws: 404/300, 403/403, 409/301.
    private func requireInvitable(_ user: ID, to group: ID) throws {
        try requireUser(user)
        try requireNotBanned(user, from: group)
        guard try role(of: user, in: group) == nil else { throw APIError.conflict("the user is a member already") }
        guard try !hasInvite(user, to: group) else { throw APIError.conflict("the user is invited already") }
    }
}
