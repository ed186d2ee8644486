import FoundationEssentials
import SwiftProtobuf

@testable import ConclaveProtocol

/// One endpoint of the protocol with a correct answer.
struct SampleCall: Sendable {
    let name: String
    let request: APIRequest
    /// A valid body; empty if the endpoint answers nothing.
    let answer: [UInt8]
    let decode: @Sendable (APIResponse) throws(ProtocolError) -> Void

    init<Response>(_ name: String, _ call: Call<Response>, _ answer: (any Message)? = nil) {
        self.name = name
        self.request = call.request
        self.answer = (try? answer?.serializedBytes()) ?? []
        self.decode = { (response) throws(ProtocolError) in _ = try call.decode(response) }
    }
}

enum Sample {
    static func id(_ number: UInt8) -> ID { ID([UInt8](repeating: number, count: 16))! }
    static func data(_ number: UInt8) -> Data { Data(id(number).bytes) }
    static let group = id(9)
    static let token = SessionToken(String(repeating: "ab", count: 32))
    static let fingerprint = String(repeating: "0f", count: 32)

    static func member(_ number: UInt8) -> WireGroupMember {
        .with {
            $0.userID = data(number)
            $0.username = "user\(number)"
            $0.role = number == 1 ? .admin : .member
            $0.signingKeyFingerprint = fingerprint
        }
    }

    static func row(_ sequence: UInt64) -> WireStoredMessage {
        .with {
            $0.sequenceNum = sequence
            $0.senderID = data(1)
            $0.createdAt = 1_700_000_000
            $0.mlsMessage = Data([0, 1, 0, 2, 7])
        }
    }

    static let userInfo = WireUserInfoResponse.with {
        $0.userID = data(1)
        $0.username = "alice"
        $0.signingKeyFingerprint = fingerprint
    }
    static let invite = WirePendingInvite.with {
        $0.inviteID = data(4)
        $0.groupID = data(9)
        $0.groupName = "readers"
        $0.inviterID = data(1)
        $0.inviterUsername = "alice"
        $0.inviteeID = data(2)
    }
    static let groupInfo = WireGetGroupInfoResponse.with { $0.groupInfo = Data([1, 2, 3]) }
    static let keyPackage = Data([0, 1, 0, 5, 9])

    static let calls: [SampleCall] = [
        SampleCall(
            "POST /register", Endpoint.register(username: "alice", password: "12345678"),
            WireRegisterResponse.with { $0.userID = data(1) }),
        SampleCall(
            "POST /login", Endpoint.login(username: "alice", password: "12345678"),
            WireLoginResponse.with {
                $0.token = token.unwipedText
                $0.userID = data(1)
                $0.username = "alice"
            }),
        SampleCall("POST /logout", Endpoint.logout(token: token)),
        SampleCall("GET /me", Endpoint.me(token: token), userInfo),
        SampleCall("PATCH /me", Endpoint.updateProfile(alias: "Al", token: token)),
        SampleCall(
            "POST /change-password", Endpoint.changePassword(current: "12345678", new: "87654321", token: token)),
        SampleCall("POST /reset-account", Endpoint.resetAccount(token: token)),
        SampleCall("POST /delete-account", Endpoint.deleteAccount(password: "12345678", token: token)),
        SampleCall("GET /users/a%2Fb%20c", Endpoint.user(named: "a/b c", token: token), userInfo),
        SampleCall("GET /users/by-id/\(id(1))", Endpoint.user(id: id(1), token: token), userInfo),
        SampleCall(
            "POST /key-packages",
            Endpoint.uploadKeyPackages(
                [KeyPackageUpload(data: [UInt8](keyPackage), isLastResort: true)], fingerprint: fingerprint,
                token: token)),
        SampleCall(
            "GET /key-packages/\(id(2))", Endpoint.keyPackage(of: id(2), token: token),
            WireGetKeyPackageResponse.with { $0.keyPackageData = keyPackage }),
        SampleCall(
            "POST /groups", Endpoint.createGroup(name: "readers", token: token),
            WireCreateGroupResponse.with { $0.groupID = data(9) }),
        SampleCall(
            "GET /groups", Endpoint.groups(token: token),
            WireListGroupsResponse.with {
                $0.groups = [
                    .with {
                        $0.groupID = data(9)
                        $0.groupName = "readers"
                        $0.members = [member(1), member(2)]
                        $0.messageExpirySeconds = -1
                        $0.mlsGroupID = "00ff"
                    }
                ]
            }),
        SampleCall("PATCH /groups/\(group)", Endpoint.updateGroup(group, GroupChanges(alias: "x"), token: token)),
        SampleCall("POST /groups/\(group)/delete", Endpoint.deleteGroup(group, token: token)),
        SampleCall("GET /groups/\(group)/group-info", Endpoint.groupInfo(of: group, token: token), groupInfo),
        SampleCall(
            "GET /groups/\(group)/retention", Endpoint.retention(of: group, token: token),
            WireGetRetentionPolicyResponse.with {
                $0.serverRetentionSeconds = -1
                $0.groupExpirySeconds = 3600
            }),
        SampleCall(
            "GET /groups/public", Endpoint.publicGroups(matching: "read", token: token),
            WireListPublicGroupsResponse.with {
                $0.groups = [
                    .with {
                        $0.groupID = data(9)
                        $0.groupName = "readers"
                        $0.memberCount = 3
                    }
                ]
            }),
        SampleCall(
            "GET /groups/\(group)/messages", Endpoint.messages(group: group, after: 4, limit: 3, token: token),
            WireGetMessagesResponse.with { $0.messages = [row(5), row(7)] }),
        SampleCall(
            "POST /groups/\(group)/messages", Endpoint.sendMessage([1], group: group, token: token),
            WireSendMessageResponse.with { $0.sequenceNum = 300 }),
        SampleCall(
            "POST /groups/\(group)/commit", Endpoint.uploadCommit([1], groupInfo: [2], group: group, token: token)),
        SampleCall(
            "POST /groups/\(group)/external-join",
            Endpoint.externalJoin(commit: [1], mlsGroupID: [2], group: group, token: token)),
        SampleCall(
            "POST /groups/\(group)/invite", Endpoint.invite([id(1), id(2)], group: group, token: token),
            WireInviteToGroupResponse.with {
                $0.memberKeyPackages = [
                    .with {
                        $0.userID = data(2)
                        $0.keyPackageData = keyPackage
                    }
                ]
            }),
        SampleCall(
            "POST /groups/\(group)/escrow-invite",
            Endpoint.escrowInvite(id(2), commit: [1], welcome: [2], groupInfo: [3], group: group, token: token)),
        SampleCall(
            "GET /groups/\(group)/invites", Endpoint.groupInvites(group: group, token: token),
            WireListGroupPendingInvitesResponse.with { $0.invites = [invite] }),
        SampleCall(
            "POST /groups/\(group)/cancel-invite", Endpoint.cancelInvite(of: id(2), group: group, token: token)),
        SampleCall(
            "GET /invites", Endpoint.invites(token: token),
            WireListPendingInvitesResponse.with { $0.invites = [invite] }),
        SampleCall("POST /invites/\(id(4))/accept", Endpoint.acceptInvite(id(4), token: token)),
        SampleCall("POST /invites/\(id(4))/decline", Endpoint.declineInvite(id(4), token: token)),
        SampleCall(
            "GET /welcomes", Endpoint.welcomes(token: token),
            WireListPendingWelcomesResponse.with {
                $0.welcomes = [
                    .with {
                        $0.groupID = data(9)
                        $0.welcomeID = data(5)
                        $0.welcomeMessage = Data([1, 2])
                    }
                ]
            }),
        SampleCall("POST /welcomes/\(id(5))/accept", Endpoint.acceptWelcome(id(5), token: token)),
        SampleCall("POST /groups/\(group)/join", Endpoint.join(group, token: token), groupInfo),
        SampleCall(
            "POST /groups/\(group)/remove",
            Endpoint.removeMember(id(2), commit: [1], groupInfo: [2], group: group, token: token)),
        SampleCall("POST /groups/\(group)/leave", Endpoint.leave(group, token: token)),
        SampleCall("POST /groups/\(group)/promote", Endpoint.promote(id(2), group: group, token: token)),
        SampleCall("POST /groups/\(group)/demote", Endpoint.demote(id(2), group: group, token: token)),
        SampleCall(
            "GET /groups/\(group)/admins", Endpoint.admins(of: group, token: token),
            WireListAdminsResponse.with { $0.admins = [member(1)] }),
        SampleCall("POST /groups/\(group)/ban", Endpoint.ban(id(2), group: group, token: token)),
        SampleCall("POST /groups/\(group)/unban", Endpoint.unban(id(2), group: group, token: token)),
        SampleCall(
            "GET /groups/\(group)/banned", Endpoint.banned(from: group, token: token),
            WireListBannedUsersResponse.with {
                $0.users = [
                    .with {
                        $0.userID = data(2)
                        $0.username = "user2"
                        $0.bannedBy = data(1)
                    }
                ]
            }),
        SampleCall(
            "GET /events/poll", Endpoint.pollEvents(after: "4294967300", wait: 25, token: token),
            WirePollEventsResponse.with {
                $0.events = [Data([0x12, 0x12, 0x0a, 0x10] + id(9).bytes)]
                $0.nextCursor = "4294967301"
            }),
    ]
}

/// SplitMix64: the same numbers from the same seed.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}

extension APIResponse {
    /// A 200 with a protobuf body.
    static func ok(_ body: [UInt8], status: Int = 200, type: String = "application/x-protobuf") -> APIResponse {
        APIResponse(status: status, contentType: type, body: body)
    }

    static func ok(_ message: some Message) -> APIResponse { .ok((try? message.serializedBytes()) ?? []) }
}
