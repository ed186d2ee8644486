import ConclaveProtocol
import Foundation
import GRDB

/// What the invitee, and the admins who wait for them, do with an invite.
extension Transaction {
    func listInvites(_ call: ServerCall) throws -> Answer {
        let invites = try pendingInvites("invite.invitee_id = ?", [call.user.blob])
        return try Answer(WireListPendingInvitesResponse.with { $0.invites = invites })
    }

    func listGroupInvites(_ call: ServerCall) throws -> Answer {
        let group = try groupForAdmin(call)
        let invites = try pendingInvites("invite.group_id = ?", [group.id.blob])
        return try Answer(WireListGroupPendingInvitesResponse.with { $0.invites = invites })
    }

    /// Everything the inviter prepared happens now, or none of it: member, Welcome, commit and GroupInfo.
    ///
    /// Under strict ordering the group may have moved on since. Then the invitee becomes a member all the same, but
    /// without the Welcome, which can no longer be used, and joins by an external commit.
    func acceptInvite(_ call: ServerCall) throws -> Answer {
        let invite = try inviteForInvitee(call)
        let group = try group(invite.group)
        guard try role(of: call.user, in: group.id) == nil else {
            throw APIError.conflict("the caller is a member already")
        }
        try requireNotBanned(call.user, from: group.id)
        let content = try row("SELECT commit_message, group_info, welcome FROM invite WHERE id = ?", [invite.id.blob])
        guard let content else { throw APIError.unknownInvite }

        let isWelcome = try takeEscrowedCommit(
            content.data(0), groupInfo: content.data(1), in: group, from: invite.inviter)
        let others = try members(of: group.id)
        try addMember(call.user, to: group.id, role: .member, awaitsExternalJoin: !isWelcome)
        try execute("DELETE FROM invite WHERE id = ?", [invite.id.blob])
        if isWelcome {
            try execute(
                "INSERT INTO welcome (id, group_id, user_id, data, created_at) VALUES (?, ?, ?, ?, ?)",
                [ID.random().blob, group.id.blob, call.user.blob, content.data(2), now])
            try announce(.welcome(to: group.id, alias: group.alias), to: [call.user])
        }
        try announce(.groupUpdate(of: group.id, .commit), to: others)
        return Answer()
    }

    func declineInvite(_ call: ServerCall) throws -> Answer {
        let invite = try inviteForInvitee(call)
        try execute("DELETE FROM invite WHERE id = ?", [invite.id.blob])
        try announce(.inviteDeclined(in: invite.group, user: call.user), to: [invite.inviter])
        return Answer()
    }

    func expireInvites() throws {
        try cancelInvites("created_at <= ?", [moments.earliest.clampedMinus(configuration.inviteTTL)])
    }

    private func inviteForInvitee(_ call: ServerCall) throws -> (id: ID, group: ID, inviter: ID) {
        let id = try call.path.id()
        let row = try row("SELECT group_id, inviter_id, invitee_id FROM invite WHERE id = ?", [id.blob])
        guard let row else { throw APIError.unknownInvite }
        guard try row.id(2) == call.user else { throw APIError.notYours }
        return (id, try row.id(0), try row.id(1))
    }

    private func pendingInvites(_ condition: String, _ arguments: StatementArguments) throws -> [WirePendingInvite] {
        let rows = try rows(
            """
            SELECT invite.id, chat.id, chat.name, chat.alias, user.username, invite.created_at, invite.invitee_id, user.id
            FROM invite JOIN chat ON chat.id = invite.group_id JOIN user ON user.id = invite.inviter_id
            WHERE \(condition) ORDER BY invite.created_at, invite.id
            """,
            arguments)
        return rows.map { row in
            WirePendingInvite.with {
                $0.inviteID = row[0]
                $0.groupID = row[1]
                $0.groupName = row[2]
                $0.groupAlias = row[3]
                $0.inviterUsername = row[4]
                $0.createdAt = UInt64(bitPattern: row[5] as Int64)
                $0.inviteeID = row[6]
                $0.inviterID = row[7]
            }
        }
    }
}
