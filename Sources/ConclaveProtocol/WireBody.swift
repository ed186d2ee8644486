import SwiftProtobuf

import struct FoundationEssentials.Data

/// The bodies of requests and answers, for observers of traffic rather than participants.
public enum WireBody {
    /// Whose body it is.
    public enum Side: Hashable, Sendable { case request, answer }

    /// The body in the JSON form of protobuf; nil if it is empty, not what belongs there, or of no endpoint we know.
    ///
    /// - Parameter path: with the prefix `/api/v1`, as in ``APIRequest/path``.
    public static func json(_ body: [UInt8], of side: Side, _ method: APIRequest.Method, _ path: String) -> [UInt8]? {
        guard !body.isEmpty, let type = type(of: side, method, path),
            let message = try? type.init(serializedBytes: body)
        else { return nil }
        // What has no JSON form is shown as bytes.
        return try? message.jsonUTF8Bytes()
    }

    /// The body with every password and token in it replaced.
    ///
    /// - Parameter replace: returns the replacement for a password or token.
    /// - Returns: the same bytes if there is nothing to replace.
    public static func replacingSecrets(
        in body: [UInt8], of side: Side, _ method: APIRequest.Method, _ path: String,
        _ replace: (Secret, String) -> String
    ) -> [UInt8] {
        func password(_ text: String) -> String { text.isEmpty ? "" : replace(.password, text) }
        func edited<Wire: SwiftProtobuf.Message>(_ edit: (inout Wire) -> Void) -> [UInt8] {
            guard var message = try? Wire(serializedBytes: body) else { return body }
            edit(&message)
            // What was just read can be written.
            return (try? message.serializedBytes()) ?? body
        }
        switch (side, method, path.dropFirst(Endpoint.base.count)) {
        case (.request, .post, "/register"):
            return edited { (message: inout WireRegisterRequest) in
                message.password = password(message.password)
                message.registrationToken = password(message.registrationToken)
            }
        case (.request, .post, "/login"):
            return edited { (message: inout WireLoginRequest) in message.password = password(message.password) }
        case (.request, .post, "/change-password"):
            return edited { (message: inout WireChangePasswordRequest) in
                message.currentPassword = password(message.currentPassword)
                message.newPassword = password(message.newPassword)
            }
        case (.request, .post, "/delete-account"):
            return edited { (message: inout WireDeleteAccountRequest) in message.password = password(message.password) }
        case (.answer, .post, "/login"):
            return edited { (message: inout WireLoginResponse) in
                if !message.token.isEmpty { message.token = replace(.token, message.token) }
            }
        default: return body
        }
    }

    /// What must not be seen.
    public enum Secret: Hashable, Sendable { case password, token }

    private static func type(
        of side: Side, _ method: APIRequest.Method, _ path: String
    ) -> (any SwiftProtobuf.Message.Type)? {
        guard path.hasPrefix(Endpoint.base) else { return nil }
        var parts = path.dropFirst(Endpoint.base.count).split(separator: "/").map(String.init)
        // What names a user, a group or an invite may be anything.
        if parts.count >= 2, ["users", "groups", "invites", "welcomes", "key-packages"].contains(parts[0]),
            parts[1] != "public"
        {
            if parts[1] == "by-id", parts.count == 3 { parts.remove(at: 1) }
            parts[1] = "*"
        }
        let types = bodies["\(method.rawValue) \(parts.joined(separator: "/"))"]
        return side == .request ? types?.request : types?.answer
    }

    private typealias Types = (request: (any SwiftProtobuf.Message.Type)?, answer: (any SwiftProtobuf.Message.Type)?)

    private static let bodies: [String: Types] = [
        "POST register": (WireRegisterRequest.self, WireRegisterResponse.self),
        "POST login": (WireLoginRequest.self, WireLoginResponse.self),
        "GET me": (nil, WireUserInfoResponse.self),
        "PATCH me": (WireUpdateProfileRequest.self, nil),
        "POST change-password": (WireChangePasswordRequest.self, nil),
        "POST delete-account": (WireDeleteAccountRequest.self, nil),
        "GET users/*": (nil, WireUserInfoResponse.self),
        "POST key-packages": (WireUploadKeyPackageRequest.self, nil),
        "GET key-packages/*": (nil, WireGetKeyPackageResponse.self),
        "POST groups": (WireCreateGroupRequest.self, WireCreateGroupResponse.self),
        "GET groups": (nil, WireListGroupsResponse.self),
        "PATCH groups/*": (WireUpdateGroupRequest.self, nil),
        "GET groups/*/group-info": (nil, WireGetGroupInfoResponse.self),
        "GET groups/*/retention": (nil, WireGetRetentionPolicyResponse.self),
        "GET groups/public": (nil, WireListPublicGroupsResponse.self),
        "POST groups/*/join": (nil, WireGetGroupInfoResponse.self),
        "POST groups/*/invite": (WireInviteToGroupRequest.self, WireInviteToGroupResponse.self),
        "POST groups/*/escrow-invite": (WireEscrowInviteRequest.self, nil),
        "GET groups/*/invites": (nil, WireListGroupPendingInvitesResponse.self),
        "POST groups/*/cancel-invite": (WireCancelInviteRequest.self, nil),
        "GET invites": (nil, WireListPendingInvitesResponse.self),
        "GET welcomes": (nil, WireListPendingWelcomesResponse.self),
        "POST groups/*/remove": (WireRemoveMemberRequest.self, nil),
        "POST groups/*/leave": (WireLeaveGroupRequest.self, nil),
        "POST groups/*/promote": (WirePromoteMemberRequest.self, nil),
        "POST groups/*/demote": (WireDemoteMemberRequest.self, nil),
        "GET groups/*/admins": (nil, WireListAdminsResponse.self),
        "POST groups/*/ban": (WireBanMemberRequest.self, nil),
        "POST groups/*/unban": (WireUnbanMemberRequest.self, nil),
        "GET groups/*/banned": (nil, WireListBannedUsersResponse.self),
        "POST groups/*/external-join": (WireExternalJoinRequest.self, nil),
        "POST groups/*/commit": (WireUploadCommitRequest.self, nil),
        "POST groups/*/messages": (WireSendMessageRequest.self, WireSendMessageResponse.self),
        "GET groups/*/messages": (nil, WireGetMessagesResponse.self),
    ]
}

extension ServerHint {
    /// The data of a server-sent event that ``decode(hexFrame:)`` reads as this hint: lower-case hex of a ServerEvent.
    public var hexFrame: String {
        // A message without required fields can always be written.
        let bytes: [UInt8] = (try? wire.serializedBytes()) ?? []
        return hexEncode(bytes)
    }

    /// The event's message in protobuf's JSON form, for people.
    public var json: [UInt8]? { (try? wire.jsonUTF8Bytes()).map { (bytes: Data) in Array(bytes) } }

    private var wire: WireServerEvent {
        var wire = WireServerEvent()
        switch self {
        case .newMessage(let group, let sequence, let sender):
            wire.newMessage.groupID = Data(group.bytes)
            wire.newMessage.sequenceNum = sequence
            wire.newMessage.senderID = Data(sender.bytes)
        case .groupUpdate(let group, let kind):
            wire.groupUpdate.groupID = Data(group.bytes)
            wire.groupUpdate.updateType = kind.wire
        case .welcome(let group): wire.welcome.groupID = Data(group.bytes)
        case .memberRemoved(let group, let user):
            wire.memberRemoved.groupID = Data(group.bytes)
            wire.memberRemoved.removedUserID = Data(user.bytes)
        case .identityReset(let group, let user):
            wire.identityReset.groupID = Data(group.bytes)
            wire.identityReset.userID = Data(user.bytes)
        case .inviteReceived(let invite, let group):
            wire.inviteReceived.inviteID = Data(invite.bytes)
            wire.inviteReceived.groupID = Data(group.bytes)
        case .inviteDeclined(let group, let user):
            wire.inviteDeclined.groupID = Data(group.bytes)
            wire.inviteDeclined.declinedUserID = Data(user.bytes)
        case .inviteCancelled(let group): wire.inviteCancelled.groupID = Data(group.bytes)
        case .groupDeleted(let group): wire.groupDeleted.groupID = Data(group.bytes)
        }
        return wire
    }
}

extension ServerHint.UpdateKind {
    fileprivate var wire: WireGroupUpdateType {
        switch self {
        case .commit: .commit
        case .settings: .settings
        case .roles: .roleChange
        case .other: .unspecified
        }
    }
}
