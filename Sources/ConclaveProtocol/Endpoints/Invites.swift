import FoundationEssentials

/// An invite that waits for its invitee.
public struct PendingInvite: Hashable, Sendable {
    public var invite: ID
    public var group: ID
    public var groupName: String
    public var groupAlias: String
    public var inviter: ID
    public var inviterUsername: String
    public var invitee: ID
    /// Unix seconds by the server's clock.
    public var createdAt: UInt64

    public init(
        invite: ID, group: ID, groupName: String, groupAlias: String, inviter: ID, inviterUsername: String,
        invitee: ID, createdAt: UInt64
    ) {
        self.invite = invite
        self.group = group
        self.groupName = groupName
        self.groupAlias = groupAlias
        self.inviter = inviter
        self.inviterUsername = inviterUsername
        self.invitee = invitee
        self.createdAt = createdAt
    }

    init(_ wire: WirePendingInvite) throws(InvalidMessage) {
        invite = try checkedID(wire.inviteID, "an invite's id")
        group = try checkedID(wire.groupID, "a group id")
        groupName = printable(wire.groupName, limit: ProtocolLimits.nameLength)
        groupAlias = printable(wire.groupAlias, limit: ProtocolLimits.aliasLength)
        inviter = try checkedID(wire.inviterID, "an inviter's id")
        inviterUsername = printable(wire.inviterUsername, limit: ProtocolLimits.nameLength)
        invitee = try checkedID(wire.inviteeID, "an invitee's id")
        createdAt = wire.createdAt
    }
}

/// A Welcome that waits to be fetched.
public struct PendingWelcome: Hashable, Sendable {
    public var welcome: ID
    public var group: ID
    public var groupAlias: String
    /// An encoded MLSMessage that holds a Welcome, not parsed yet.
    public var message: [UInt8]

    public init(welcome: ID, group: ID, groupAlias: String, message: [UInt8]) {
        self.welcome = welcome
        self.group = group
        self.groupAlias = groupAlias
        self.message = message
    }
}

extension Endpoint {
    /// `POST /groups/{id}/invite`, admins only: takes one key package for each of `users` off the server. Refused:
    /// `badRequest` (no users), `notFound`, `conflict`, `notAdmin`.
    ///
    /// - Returns: at most one key package for each of `users`, and none for anyone else.
    public static func invite(_ users: [ID], group: ID, token: SessionToken, idempotencyKey: String? = nil)
        -> Call<[MemberKeyPackage]>
    {
        var message = WireInviteToGroupRequest()
        message.userIds = users.map { Data($0.bytes) }
        return Call(post("/groups/\(group)/invite", message, token, idempotencyKey), lists: ListBounds()) {
            (answer: WireInviteToGroupResponse) throws(InvalidMessage) in
            var asked = Set(users)
            var packages: [MemberKeyPackage] = []
            for wire in answer.memberKeyPackages {
                let user = try checkedID(wire.userID, "a user id")
                guard asked.remove(user) != nil else { throw InvalidMessage("a key package nobody asked for") }
                packages.append(MemberKeyPackage(user: user, keyPackage: try checkedKeyPackage(wire.keyPackageData)))
            }
            return packages
        }
    }

    /// `POST /groups/{id}/escrow-invite`, admins only: leaves a commit, its Welcome and its GroupInfo with the server
    /// until the invitee accepts. Refused: `notFound`, `conflict` (member or invited already), `banned`, `notAdmin`.
    public static func escrowInvite(
        _ invitee: ID, commit: [UInt8], welcome: [UInt8], groupInfo: [UInt8], group: ID, token: SessionToken,
        idempotencyKey: String? = nil
    ) -> Call<Void> {
        var message = WireEscrowInviteRequest()
        message.inviteeID = Data(invitee.bytes)
        message.commitMessage = Data(commit)
        message.welcomeMessage = Data(welcome)
        message.groupInfo = Data(groupInfo)
        return Call(post("/groups/\(group)/escrow-invite", message, token, idempotencyKey))
    }

    /// `GET /groups/{id}/invites`, admins only: the pending invites of a group.
    public static func groupInvites(group: ID, token: SessionToken) -> Call<[PendingInvite]> {
        Call(get("/groups/\(group)/invites", token), lists: ListBounds()) {
            (answer: WireListGroupPendingInvitesResponse) throws(InvalidMessage) in try list(answer.invites)
        }
    }

    /// `POST /groups/{id}/cancel-invite`, admins only. Refused: `notFound`, `notAdmin`.
    public static func cancelInvite(of invitee: ID, group: ID, token: SessionToken, idempotencyKey: String? = nil)
        -> Call<
            Void
        >
    {
        var message = WireCancelInviteRequest()
        message.inviteeID = Data(invitee.bytes)
        return Call(post("/groups/\(group)/cancel-invite", message, token, idempotencyKey))
    }

    /// `GET /invites`: the invites that wait for the caller.
    public static func invites(token: SessionToken) -> Call<[PendingInvite]> {
        Call(get("/invites", token), lists: ListBounds()) {
            (answer: WireListPendingInvitesResponse) throws(InvalidMessage) in try list(answer.invites)
        }
    }

    /// `POST /invites/{id}/accept`. Refused: `notFound`, `notMember` (another's invite), `conflict`, `banned`.
    public static func acceptInvite(_ invite: ID, token: SessionToken, idempotencyKey: String? = nil) -> Call<Void> {
        Call(post("/invites/\(invite)/accept", nil, token, idempotencyKey))
    }

    /// `POST /invites/{id}/decline`. Refused: `notFound`, `notMember` (another's invite).
    public static func declineInvite(_ invite: ID, token: SessionToken) -> Call<Void> {
        Call(post("/invites/\(invite)/decline", nil, token))
    }

    /// `GET /welcomes`: the Welcomes that wait for the caller.
    public static func welcomes(token: SessionToken) -> Call<[PendingWelcome]> {
        Call(get("/welcomes", token), lists: ListBounds()) {
            (answer: WireListPendingWelcomesResponse) throws(InvalidMessage) in
            var welcomes: [PendingWelcome] = []
            for wire in answer.welcomes {
                welcomes.append(
                    PendingWelcome(
                        welcome: try checkedID(wire.welcomeID, "a welcome's id"),
                        group: try checkedID(wire.groupID, "a group id"),
                        groupAlias: printable(wire.groupAlias, limit: ProtocolLimits.aliasLength),
                        message: Array(wire.welcomeMessage)))
            }
            return welcomes
        }
    }

    /// `POST /welcomes/{id}/accept`: lets the server forget a Welcome. Refused: `notFound`, also the second time.
    public static func acceptWelcome(_ welcome: ID, token: SessionToken) -> Call<Void> {
        Call(post("/welcomes/\(welcome)/accept", nil, token))
    }

    private static func list(_ wire: [WirePendingInvite]) throws(InvalidMessage) -> [PendingInvite] {
        var invites: [PendingInvite] = []
        for invite in wire { invites.append(try PendingInvite(invite)) }
        return invites
    }
}
