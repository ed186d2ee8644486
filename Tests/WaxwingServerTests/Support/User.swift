import ConclaveProtocol
import Foundation
import SwiftProtobuf

@testable import WaxwingServer

/// What a server answered.
struct Reply: Sendable {
    let status: Int
    let headers: [String: String]
    let body: [UInt8]

    /// Status and error code; the code is nil on success and -1 if the body is not an `ErrorResponse`.
    var outcome: Outcome {
        guard status >= 400 else { return Outcome(status, nil) }
        let isMessage = headers["content-type"] == "application/x-protobuf"
        guard isMessage, let error = try? WireErrorResponse(serializedBytes: body) else { return Outcome(status, -1) }
        return Outcome(status, error.errorCode.rawValue)
    }

    func message<M: Message>(_ type: M.Type) throws -> M { try M(serializedBytes: body) }
}

struct Outcome: Equatable, CustomStringConvertible {
    let status: Int
    let code: Int?

    init(_ status: Int, _ code: Int? = nil) {
        self.status = status
        self.code = code
    }

    var description: String { "\(status)/\(code.map { "\($0)" } ?? "-")" }
}

/// Someone who talks to the server, over a new connection each time.
struct User: Sendable {
    let name: String
    let id: ID
    var token: String
    let port: Int

    static func register(_ name: String, port: Int) async throws -> User {
        let nobody = User(name: name, id: try ID.random(), token: "", port: port)
        let registered = try await nobody.post(
            "register",
            WireRegisterRequest.with {
                $0.username = name
                $0.password = "password"
            })
        let id = try ID(registered.message(WireRegisterResponse.self).userID).required
        return User(name: name, id: id, token: try await nobody.login(), port: port)
    }

    /// A new session's token.
    func login() async throws -> String {
        let reply = try await post(
            "login",
            WireLoginRequest.with {
                $0.username = name
                $0.password = "password"
            })
        return try reply.message(WireLoginResponse.self).token
    }

    func get(_ path: String, headers: [String: String] = [:]) async throws -> Reply {
        try await send("GET", path, headers: headers, body: [])
    }

    func get<M: Message>(_ path: String, _ type: M.Type) async throws -> M {
        try await get(path).message(type)
    }

    @discardableResult
    func post(_ path: String, _ message: (any Message)? = nil, key: String? = nil) async throws -> Reply {
        try await send(
            "POST", path, headers: key.map { ["Idempotency-Key": $0] } ?? [:],
            body: message.map { try $0.serializedBytes() } ?? [])
    }

    @discardableResult
    func patch(_ path: String, _ message: any Message) async throws -> Reply {
        try await send("PATCH", path, headers: [:], body: message.serializedBytes())
    }

    func send(_ method: String, _ path: String, headers: [String: String], body: [UInt8]) async throws -> Reply {
        var headers = headers
        headers["Connection"] = "close"
        if !token.isEmpty && headers["Authorization"] == nil { headers["Authorization"] = "Bearer \(token)" }
        let (port, all) = (port, headers)
        return try await onThread {
            let connection = try HTTPConnection(port: port)
            try connection.send(method, "/api/v1/" + path, headers: all, body: body)
            let head = try connection.readHead()
            return Reply(status: head.status, headers: head.headers, body: try connection.readBody(head.headers))
        }
    }
}

// MARK: - The steps most tests need

extension User {
    func invite(_ user: User, to group: ID, commit: [UInt8] = Array("commit".utf8)) async throws {
        try await escrow(user, to: group, commit: commit).expect(Outcome(200))
    }

    func escrow(_ user: User, to group: ID, commit: [UInt8] = Array("commit".utf8)) async throws -> Reply {
        try await post(
            "groups/\(group)/escrow-invite",
            WireEscrowInviteRequest.with {
                $0.inviteeID = user.id.blob
                $0.commitMessage = Data(commit)
                $0.welcomeMessage = Data("welcome".utf8)
                $0.groupInfo = Data(groupInfo(after: commit, "info of \(user.name)'s commit"))
            })
    }

    func pendingInvite(_ group: ID) async throws -> ID {
        let invites = try await get("invites", WireListPendingInvitesResponse.self).invites
        return try ID(invites.first { $0.groupID == group.blob }.required.inviteID).required
    }

    func accept(_ group: ID) async throws {
        try await post("invites/\(pendingInvite(group))/accept").expect(Outcome(200))
    }

    func sendText(_ text: String, to group: ID, key: String? = nil) async throws -> Reply {
        try await post(
            "groups/\(group)/messages", WireSendMessageRequest.with { $0.mlsMessage = Data(text.utf8) }, key: key)
    }

    /// - Parameters:
    ///   - info: by which the GroupInfo of the state after the commit is recognized; without a commit, of epoch 0.
    ///   - contests: the value of the header `Waxwing-Contests`.
    func commit(
        _ bytes: [UInt8], info: String = "", mlsGroupID: String = "", to group: ID, contests: String? = nil
    ) async throws -> Reply {
        let request = WireUploadCommitRequest.with {
            $0.commitMessage = Data(bytes)
            if !info.isEmpty {
                $0.groupInfo = Data(bytes.isEmpty ? groupInfo(epoch: 0, info) : groupInfo(after: bytes, info))
            }
            $0.mlsGroupID = mlsGroupID
        }
        return try await send(
            "POST", "groups/\(group)/commit", headers: contests.map { ["Waxwing-Contests": $0] } ?? [:],
            body: request.serializedBytes())
    }

    /// A commit upload without a commit.
    func refresh(_ groupInfo: [UInt8], of group: ID) async throws -> Reply {
        try await post(
            "groups/\(group)/commit", WireUploadCommitRequest.with { $0.groupInfo = Data(groupInfo) })
    }

    func message(_ bytes: [UInt8], to group: ID) async throws -> Reply {
        try await post("groups/\(group)/messages", WireSendMessageRequest.with { $0.mlsMessage = Data(bytes) })
    }

    func log(_ group: ID, query: String = "") async throws -> [WireStoredMessage] {
        try await get("groups/\(group)/messages\(query)", WireGetMessagesResponse.self).messages
    }

    /// A commit from outside, of this user or of another.
    func externalJoin(_ commit: [UInt8], _ group: ID) async throws -> Reply {
        try await post(
            "groups/\(group)/external-join", WireExternalJoinRequest.with { $0.commitMessage = Data(commit) })
    }

    func externalJoin(epoch: UInt64, filler: String = "", _ group: ID) async throws -> Reply {
        try await externalJoin(externalCommit(epoch: epoch, by: id, filler: filler), group)
    }

    /// By what the stored GroupInfo is recognized.
    func storedInfo(_ group: ID, query: String = "") async throws -> String {
        label(ofGroupInfo: try await get("groups/\(group)/group-info\(query)", WireGetGroupInfoResponse.self).groupInfo)
    }

    func groups() async throws -> [WireGroupInfo] {
        try await get("groups", WireListGroupsResponse.self).groups
    }
}

extension Reply {
    struct Unexpected: Error, CustomStringConvertible {
        let description: String
    }

    func expect(_ expected: Outcome) throws {
        guard outcome == expected else {
            throw Unexpected(
                description: "\(outcome) where \(expected) was expected: \(String(decoding: body, as: UTF8.self))")
        }
    }
}
