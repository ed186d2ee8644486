/// A group the caller is a member of, as the server describes it.
public struct GroupSummary: Hashable, Sendable {
    public var group: ID
    public var name: String
    /// Empty if none is set.
    public var alias: String
    /// The server's roster, which may differ from the members in the MLS tree. No user is in it twice.
    public var members: [RosterMember]
    /// The MLS group id; nil if none was set, or if it is not hexadecimal.
    public var mlsGroupID: [UInt8]?
    public var messageExpiry: MessageExpiry
    public var isPublic: Bool
}

/// One line of a group's roster.
public struct RosterMember: Hashable, Sendable {
    public var user: ID
    public var username: String
    /// Empty if none is set.
    public var alias: String
    public var isAdmin: Bool
    /// Lower-case hex SHA-256 of the signature public key, as the server claims; nil if none was uploaded.
    public var fingerprint: String?

    public init(user: ID, username: String, alias: String, isAdmin: Bool, fingerprint: String?) {
        self.user = user
        self.username = username
        self.alias = alias
        self.isAdmin = isAdmin
        self.fingerprint = fingerprint
    }

    init(_ wire: WireGroupMember) throws(InvalidMessage) {
        user = try checkedID(wire.userID, "a member's id")
        username = printable(wire.username, limit: ProtocolLimits.nameLength)
        alias = printable(wire.alias, limit: ProtocolLimits.aliasLength)
        isAdmin = wire.role == .admin
        fingerprint = checkedFingerprint(wire.signingKeyFingerprint)
    }

    /// A roster without duplicates.
    static func roster(_ wire: [WireGroupMember]) throws(InvalidMessage) -> [RosterMember] {
        var seen: Set<ID> = []
        var roster: [RosterMember] = []
        for entry in wire {
            let member = try RosterMember(entry)
            guard seen.insert(member.user).inserted else { throw InvalidMessage("a member is listed twice") }
            roster.append(member)
        }
        return roster
    }
}

/// When the server deletes messages of a group.
public enum MessageExpiry: Hashable, Sendable {
    /// Never.
    case off
    /// Once every member has fetched them.
    case afterFetch
    /// After this many seconds.
    case seconds(Int64)

    init(wire: Int64) { self = wire < 0 ? .off : wire == 0 ? .afterFetch : .seconds(wire) }

    var wire: Int64 {
        switch self {
        case .off: -1
        case .afterFetch: 0
        case .seconds(let seconds): max(1, seconds)
        }
    }
}

/// A group anyone may join.
public struct PublicGroup: Hashable, Sendable {
    public var group: ID
    public var name: String
    public var alias: String
    public var memberCount: UInt32
}

/// How long the server keeps rows, in its own numbers: -1 off, 0 until everyone has fetched, above that seconds.
public struct RetentionPolicy: Hashable, Sendable {
    public var serverRetention: MessageExpiry
    public var groupExpiry: MessageExpiry
}

/// What to change about a group; nil leaves a property unchanged.
public struct GroupChanges: Hashable, Sendable {
    public var name: String?
    public var alias: String?
    public var messageExpiry: MessageExpiry?
    public var isPublic: Bool?

    public init(
        name: String? = nil, alias: String? = nil, messageExpiry: MessageExpiry? = nil, isPublic: Bool? = nil
    ) {
        self.name = name
        self.alias = alias
        self.messageExpiry = messageExpiry
        self.isPublic = isPublic
    }
}

extension Endpoint {
    /// `POST /groups`: the caller becomes the only member and admin. Refused: `validation`, `conflict` (name taken).
    ///
    /// - Returns: the server's id of the group, which is not the MLS group id.
    public static func createGroup(
        name: String, alias: String = "", token: SessionToken, idempotencyKey: String? = nil
    ) -> Call<ID> {
        var message = WireCreateGroupRequest()
        message.groupName = name
        message.alias = alias
        return Call(post("/groups", message, token, idempotencyKey)) {
            (answer: WireCreateGroupResponse) throws(InvalidMessage) in try checkedID(answer.groupID, "the group id")
        }
    }

    /// `GET /groups`: all groups of the caller with their rosters. No group is listed twice.
    public static func groups(token: SessionToken) -> Call<[GroupSummary]> {
        Call(get("/groups", token), lists: ListBounds(nested: 3)) {
            (answer: WireListGroupsResponse) throws(InvalidMessage) in
            var seen: Set<ID> = []
            var groups: [GroupSummary] = []
            for wire in answer.groups {
                let group = try GroupSummary(wire)
                guard seen.insert(group.group).inserted else { throw InvalidMessage("a group is listed twice") }
                groups.append(group)
            }
            return groups
        }
    }

    /// `PATCH /groups/{id}`, admins only. Refused: `notAdmin`, `validation`, `conflict` (name taken).
    public static func updateGroup(_ group: ID, _ changes: GroupChanges, token: SessionToken) -> Call<Void> {
        var message = WireUpdateGroupRequest()
        message.groupName = changes.name ?? ""
        message.alias = changes.alias ?? ""
        if let expiry = changes.messageExpiry {
            message.messageExpirySeconds = expiry.wire
            message.updateMessageExpiry = true
        }
        if let isPublic = changes.isPublic { message.visibility = isPublic ? .public : .private }
        return Call(patch("/groups/\(group)", message, token))
    }

    /// `POST /groups/{id}/delete`, admins only. Refused: `notAdmin`.
    public static func deleteGroup(_ group: ID, token: SessionToken) -> Call<Void> {
        Call(post("/groups/\(group)/delete", nil, token))
    }

    /// `GET /groups/{id}/group-info`: the encoded GroupInfo. Refused: `notMember`, `notFound` (none stored).
    public static func groupInfo(of group: ID, token: SessionToken) -> Call<[UInt8]> {
        groupInfo(get("/groups/\(group)/group-info", token))
    }

    /// `GET /groups/{id}/retention`. Refused: `notMember`.
    public static func retention(of group: ID, token: SessionToken) -> Call<RetentionPolicy> {
        Call(get("/groups/\(group)/retention", token)) {
            (answer: WireGetRetentionPolicyResponse) throws(InvalidMessage) in
            RetentionPolicy(
                serverRetention: MessageExpiry(wire: answer.serverRetentionSeconds),
                groupExpiry: MessageExpiry(wire: answer.groupExpirySeconds))
        }
    }

    /// `GET /groups/public?pattern=`: public groups whose name contains `pattern`.
    public static func publicGroups(matching pattern: String, token: SessionToken) -> Call<[PublicGroup]> {
        Call(get("/groups/public", query: [.init("pattern", pattern)], token), lists: ListBounds()) {
            (answer: WireListPublicGroupsResponse) throws(InvalidMessage) in
            var groups: [PublicGroup] = []
            for wire in answer.groups {
                groups.append(
                    PublicGroup(
                        group: try checkedID(wire.groupID, "a group id"),
                        name: printable(wire.groupName, limit: ProtocolLimits.nameLength),
                        alias: printable(wire.alias, limit: ProtocolLimits.aliasLength), memberCount: wire.memberCount))
            }
            return groups
        }
    }

    static func groupInfo(_ request: APIRequest) -> Call<[UInt8]> {
        Call(request) { (answer: WireGetGroupInfoResponse) throws(InvalidMessage) in
            try nonEmpty(answer.groupInfo, "the GroupInfo")
        }
    }
}

extension GroupSummary {
    init(_ wire: WireGroupInfo) throws(InvalidMessage) {
        group = try checkedID(wire.groupID, "a group id")
        name = printable(wire.groupName, limit: ProtocolLimits.nameLength)
        alias = printable(wire.alias, limit: ProtocolLimits.aliasLength)
        members = try RosterMember.roster(wire.members)
        mlsGroupID = wire.mlsGroupID.isEmpty ? nil : hexDecode(Array(wire.mlsGroupID.utf8))
        messageExpiry = MessageExpiry(wire: wire.messageExpirySeconds)
        isPublic = wire.visibility == .public
    }
}
