import ConclaveProtocol
import Foundation
import GRDB

/// What the invitee, and the admins who wait for them, do with an invite.
extension Transaction {
    func listInvites(_ call: ServerCall) throws -> Answer {
        let page = try ListPage(call.query, max: ServerLimits.invitesPerPage)
        let (invites, next) = try pendingInvites(
            "invite.invitee_id = ?", call.user, page, limit: page.limit ?? ServerLimits.invitesPerPage)
        var answer = try Answer(WireListPendingInvitesResponse.with { $0.invites = invites })
        answer.next = next
        return answer
    }

    func listGroupInvites(_ call: ServerCall) throws -> Answer {
        let group = try groupForAdmin(call)
        let page = try ListPage(call.query, max: ServerLimits.groupInvitesPerPage)
        let (invites, next) = try pendingInvites(
            "invite.group_id = ?", group.id, page, limit: page.limit ?? ServerLimits.groupInvitesPerPage)
        var answer = try Answer(WireListGroupPendingInvitesResponse.with { $0.invites = invites })
        answer.next = next
        return answer
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
        try requireRoomForGroup(of: call.user)
        let content = try row("SELECT commit_message, group_info, welcome FROM invite WHERE id = ?", [invite.id.blob])
        guard let content else { throw APIError.unknownInvite }

        let isWelcome = try takeEscrowedCommit(
            content.data(0), groupInfo: content.data(1), in: group, from: invite.inviter)
        let others = try members(of: group.id)
        try addMember(call.user, to: group.id, role: .member, awaitsExternalJoin: !isWelcome)
        try execute("DELETE FROM invite WHERE id = ?", [invite.id.blob])
        if isWelcome {
            try execute(
                "INSERT INTO welcome (id, group_id, user_id, data, created_at, sender_id) VALUES (?, ?, ?, ?, ?, ?)",
                [ID.random().blob, group.id.blob, call.user.blob, content.data(2), now, invite.inviter.blob])
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

    /// The oldest invites first, and where the rest begins if there is one.
    private func pendingInvites(
        _ condition: String, _ id: ID, _ page: ListPage, limit: Int
    ) throws -> (invites: [WirePendingInvite], next: String?) {
        let after = try page.after.map { try InviteCursor($0) } ?? .start
        let rows = try rows(
            """
            SELECT invite.id, chat.id, chat.name, chat.alias, user.username, invite.created_at, invite.invitee_id, user.id
            FROM invite JOIN chat ON chat.id = invite.group_id JOIN user ON user.id = invite.inviter_id
            WHERE \(condition) AND (invite.created_at, invite.id) > (?, ?)
            ORDER BY invite.created_at, invite.id LIMIT ?
            """,
            [id.blob, after.createdAt, after.id, limit + 1])
        let next = rows.count > limit ? try InviteCursor(of: rows[limit - 1]).text : nil
        let invites = rows.prefix(limit).map { row in
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
        return (invites, next)
    }
}

/// The place of an invite in a list by age.
private struct InviteCursor {
    let createdAt: Int64
    let id: Data

    static let start = InviteCursor(createdAt: .min, id: Data())

    private init(createdAt: Int64, id: Data) {
        (self.createdAt, self.id) = (createdAt, id)
    }

    init(of row: Row) throws {
        self.init(createdAt: row[5], id: try row.data(0))
    }

    /// - Throws: `MalformedQuery` for what `text` never was.
    init(_ text: String) throws {
        let parts = text.split(separator: ".")
        guard parts.count == 2, let createdAt = Int64(parts[0]), let id = ID(text: String(parts[1])) else {
            throw MalformedQuery(name: "after")
        }
        self.init(createdAt: createdAt, id: id.blob)
    }

    var text: String { "\(createdAt).\(ID(id).map(String.init(describing:)) ?? "")" }
}
