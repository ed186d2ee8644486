import ConclaveProtocol
import Foundation

/// Leaving and being removed: the roster changes together with the commit, if one is given.
extension Transaction {
    func removeMember(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireRemoveMemberRequest.self)
        let group = try groupForAdmin(call)
        let user = try decodeID(request.userID, "user_id")
        try requireUser(user)
        guard user != call.user else { throw APIError.badRequest("to remove oneself is to leave") }
        guard try role(of: user, in: group.id) != nil else { throw APIError.badRequest("the user is not a member") }
        try remove(user, from: group, commit: request.commitMessage, groupInfo: request.groupInfo, by: call)
        return Answer()
    }

    func leaveGroup(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireLeaveGroupRequest.self)
        let group = try groupForMember(call)
        if !request.commitMessage.isEmpty {
            try takeCommit(request.commitMessage, groupInfo: request.groupInfo, in: group, of: call)
        }
        try removeFromRoster(call.user, of: group.id)
        try announce(.memberRemoved(from: group.id, user: call.user), to: try members(of: group.id))
        return Answer()
    }

    /// Without a commit only the roster changes; the Remove then follows through the commit endpoint.
    func remove(_ user: ID, from group: GroupRow, commit: Data, groupInfo: Data, by call: ServerCall) throws {
        if !commit.isEmpty { try takeCommit(commit, groupInfo: groupInfo, in: group, of: call) }
        try removeFromRoster(user, of: group.id)
        try announce(.memberRemoved(from: group.id, user: user), to: try members(of: group.id) + [user])
    }

    /// A group without members is deleted. One without an admin gets its longest-standing member as admin, so that
    /// someone can manage it. Invites the user sent are withdrawn: their commits come from a leaf that will be gone.
    func removeFromRoster(_ user: ID, of group: ID) throws {
        try execute("DELETE FROM member WHERE group_id = ? AND user_id = ?", [group.blob, user.blob])
        try execute("DELETE FROM welcome WHERE group_id = ? AND user_id = ?", [group.blob, user.blob])
        try cancelInvites("group_id = ? AND inviter_id = ?", [group.blob, user.blob])
        guard try exists("SELECT 1 FROM member WHERE group_id = ?", [group.blob]) else {
            return try erase(group: group, members: [user])
        }
        try execute(
            """
            UPDATE member SET role = 2 WHERE group_id = ?1
                AND NOT EXISTS (SELECT 1 FROM member WHERE group_id = ?1 AND role = 2)
                AND user_id = (SELECT user_id FROM member WHERE group_id = ?1 ORDER BY joined_at, user_id LIMIT 1)
            """,
            [group.blob])
    }
}
