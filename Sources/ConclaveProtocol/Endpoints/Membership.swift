import FoundationEssentials

/// A user who may not rejoin a group.
public struct BannedUser: Hashable, Sendable {
    public var user: ID
    public var username: String
    public var alias: String
    /// Unix seconds by the server's clock.
    public var bannedAt: UInt64
    /// Nil if the server does not say, for example because that account is gone.
    public var bannedBy: ID?
}

extension Endpoint {
    /// `POST /groups/{id}/join`: makes the caller a member of a public group; an external commit has to follow.
    /// Refused: `notFound`, `groupNotPublic`, `banned`, `conflict` (member or invited already), `badRequest` (no
    /// GroupInfo).
    ///
    /// - Returns: the encoded GroupInfo.
    public static func join(_ group: ID, token: SessionToken, idempotencyKey: String? = nil) -> Call<[UInt8]> {
        groupInfo(post("/groups/\(group)/join", nil, token, idempotencyKey))
    }

    /// `POST /groups/{id}/remove`, admins only: takes `user` off the roster and appends the commit. Refused:
    /// `notAdmin`, `notFound`, `badRequest` (not a member); `conflict` if the commit's epoch is over.
    ///
    /// - Parameter contests: see ``APIRequest/contests``.
    public static func removeMember(
        _ user: ID, commit: [UInt8], groupInfo: [UInt8], group: ID, token: SessionToken, idempotencyKey: String? = nil,
        contests: [UInt64] = []
    ) -> Call<Void> {
        var message = WireRemoveMemberRequest()
        message.userID = Data(user.bytes)
        message.commitMessage = Data(commit)
        message.groupInfo = Data(groupInfo)
        return Call(post("/groups/\(group)/remove", message, token, idempotencyKey, contests: contests))
    }

    /// `POST /groups/{id}/leave`: takes the caller off the roster. Members cannot commit their own removal, so commit
    /// and GroupInfo are usually empty, and another member's Remove follows. Refused: `notMember`.
    public static func leave(
        _ group: ID, commit: [UInt8] = [], groupInfo: [UInt8] = [], token: SessionToken, idempotencyKey: String? = nil
    ) -> Call<Void> {
        var message = WireLeaveGroupRequest()
        message.commitMessage = Data(commit)
        message.groupInfo = Data(groupInfo)
        return Call(post("/groups/\(group)/leave", message, token, idempotencyKey))
    }

    /// `POST /groups/{id}/promote`, admins only. Refused: `notFound`, `badRequest`, `conflict` (admin already),
    /// `notAdmin`.
    public static func promote(_ user: ID, group: ID, token: SessionToken) -> Call<Void> {
        var message = WirePromoteMemberRequest()
        message.userID = Data(user.bytes)
        return Call(post("/groups/\(group)/promote", message, token))
    }

    /// `POST /groups/{id}/demote`, admins only. Refused: `notFound`, `badRequest`, `notAdmin`.
    public static func demote(_ user: ID, group: ID, token: SessionToken) -> Call<Void> {
        var message = WireDemoteMemberRequest()
        message.userID = Data(user.bytes)
        return Call(post("/groups/\(group)/demote", message, token))
    }

    /// `GET /groups/{id}/admins`. Refused: `notMember`.
    public static func admins(of group: ID, token: SessionToken) -> Call<[RosterMember]> {
        Call(get("/groups/\(group)/admins", token), lists: ListBounds()) {
            (answer: WireListAdminsResponse) throws(InvalidMessage) in try RosterMember.roster(answer.admins)
        }
    }

    /// `POST /groups/{id}/ban`, admins only: also removes a member, as
    /// ``removeMember(_:commit:groupInfo:group:token:idempotencyKey:contests:)`` does. Refused: `notAdmin`, `notFound`,
    /// `conflict` (banned already).
    public static func ban(
        _ user: ID, commit: [UInt8] = [], groupInfo: [UInt8] = [], group: ID, token: SessionToken,
        idempotencyKey: String? = nil
    ) -> Call<Void> {
        var message = WireBanMemberRequest()
        message.userID = Data(user.bytes)
        message.commitMessage = Data(commit)
        message.groupInfo = Data(groupInfo)
        return Call(post("/groups/\(group)/ban", message, token, idempotencyKey))
    }

    /// `POST /groups/{id}/unban`, admins only. Refused: `notAdmin`, `notFound`, `badRequest` (not banned).
    public static func unban(_ user: ID, group: ID, token: SessionToken) -> Call<Void> {
        var message = WireUnbanMemberRequest()
        message.userID = Data(user.bytes)
        return Call(post("/groups/\(group)/unban", message, token))
    }

    /// `GET /groups/{id}/banned`, admins only. Refused: `notAdmin`.
    public static func banned(from group: ID, token: SessionToken) -> Call<[BannedUser]> {
        Call(get("/groups/\(group)/banned", token), lists: ListBounds()) {
            (answer: WireListBannedUsersResponse) throws(InvalidMessage) in
            var users: [BannedUser] = []
            for wire in answer.users {
                users.append(
                    BannedUser(
                        user: try checkedID(wire.userID, "a user id"),
                        username: printable(wire.username, limit: ProtocolLimits.nameLength),
                        alias: printable(wire.alias, limit: ProtocolLimits.aliasLength), bannedAt: wire.bannedAt,
                        bannedBy: wire.bannedBy.isEmpty ? nil : try checkedID(wire.bannedBy, "the banning user's id")))
            }
            return users
        }
    }
}
