import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// What other servers of this protocol answer too: see the article Conformance.
@Suite struct ConformanceTests {
    private static let memberPaths = [
        ("GET", "group-info"), ("GET", "retention"), ("GET", "messages"), ("GET", "admins"), ("POST", "messages"),
        ("POST", "commit"), ("POST", "leave"), ("POST", "external-join"),
    ]
    private static let adminPaths = [
        ("POST", "delete"), ("POST", "invite"), ("POST", "escrow-invite"), ("GET", "invites"),
        ("POST", "cancel-invite"),
        ("POST", "remove"), ("POST", "promote"), ("POST", "demote"), ("POST", "ban"), ("POST", "unban"),
        ("GET", "banned"),
    ]

    private func outcome(_ path: (String, String), _ group: ID, _ user: User) async throws -> Outcome {
        try await user.send(path.0, "groups/\(group)/\(path.1)", headers: [:], body: []).outcome
    }

    @Test func aGroupThatDoesNotExistHasNoMembersAndNoAdmins() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let nowhere = try ID.random()
            for path in Self.memberPaths {
                #expect(try await outcome(path, nowhere, alice) == Outcome(401, 400), "\(path)")
            }
            for path in Self.adminPaths {
                #expect(try await outcome(path, nowhere, alice) == Outcome(401, 401), "\(path)")
            }
            #expect(try await alice.patch("groups/\(nowhere)", WireUpdateGroupRequest()).outcome == Outcome(401, 401))
            #expect(try await alice.post("groups/\(nowhere)/join").outcome == Outcome(404, 300))
        }
    }

    @Test func aStrangerAndARemovedAdminAreNoAdmins() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let stranger = try await server.user("stranger")
            let group = try await server.group("g", [alice, bob])
            try await alice.post("groups/\(group)/promote", WirePromoteMemberRequest.with { $0.userID = bob.id.blob })
                .expect(Outcome(200))
            try await alice.post("groups/\(group)/remove", WireRemoveMemberRequest.with { $0.userID = bob.id.blob })
                .expect(Outcome(200))
            for user in [stranger, bob] {
                for path in Self.adminPaths {
                    #expect(try await outcome(path, group, user) == Outcome(401, 401), "\(path)")
                }
                for path in Self.memberPaths {
                    #expect(try await outcome(path, group, user) == Outcome(401, 400), "\(path)")
                }
            }
        }
    }

    @Test func whoeverWasInADeletedGroupIsToldSo() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let stranger = try await server.user("stranger")
            let group = try await server.group("g", [alice, bob])
            try await alice.post("groups/\(group)/delete").expect(Outcome(200))
            for user in [alice, bob] {
                #expect(try await user.get("groups/\(group)/messages").outcome == Outcome(404, 300))
                #expect(try await user.get("groups/\(group)/invites").outcome == Outcome(404, 300))
            }
            #expect(try await stranger.get("groups/\(group)/messages").outcome == Outcome(401, 400))
            #expect(try await stranger.get("groups/\(group)/invites").outcome == Outcome(401, 401))
            server.clock.advance(ServerLimits.deletedGroupSeconds)
            try await Housekeeping(store: server.server.store).sweep()
            let again = User(name: "bob", id: bob.id, token: try await bob.login(), port: bob.port)
            #expect(try await again.get("groups/\(group)/messages").outcome == Outcome(401, 400))
        }
    }

    @Test func theAuthorizationHasOneForm() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let token = alice.token
            func outcome(_ header: String) async throws -> Outcome {
                try await alice.get("me", headers: ["Authorization": header]).outcome
            }
            #expect(try await outcome("Bearer \(token)") == Outcome(200))
            let upper = token.replacingOccurrences(of: "a", with: "A").replacingOccurrences(of: "b", with: "B")
                .replacingOccurrences(of: "c", with: "C").replacingOccurrences(of: "d", with: "D")
            for header in [
                "bearer \(token)", "BEARER \(token)", "Bearer  \(token)", "Bearer\t\(token)", "Bearer \(token) x",
                "Bearer", "Bearer \(token.dropLast())", "Bearer \(token)0", "Basic \(token)", token,
                "Bearer \(upper == token ? token + "F" : upper)",
            ] {
                #expect(try await outcome(header) == Outcome(401, 201), "\(header.replacing(token, with: "TOKEN"))")
            }
            let nobody = User(name: "x", id: alice.id, token: "", port: alice.port)
            #expect(try await nobody.get("me").outcome == Outcome(401, 200))
            let unknown = String(repeating: "0a", count: 32)
            #expect(try await outcome("Bearer \(unknown)") == Outcome(401, 202))
        }
    }

    @Test func noGroupOutlivesTheServersRetention() async throws {
        try await TestServer.run({ $0.retention = 1_000 }) { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            func set(_ seconds: Int64) async throws -> Outcome {
                let request = WireUpdateGroupRequest.with {
                    $0.updateMessageExpiry = true
                    $0.messageExpirySeconds = seconds
                }
                return try await alice.patch("groups/\(group)", request).outcome
            }
            #expect(try await set(1_001) == Outcome(400, 101))
            #expect(try await set(.max) == Outcome(400, 101))
            for seconds: Int64 in [1_000, 1, 0, -1] { #expect(try await set(seconds) == Outcome(200)) }
            #expect(try await set(-2) == Outcome(400, 101))
        }
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let request = WireUpdateGroupRequest.with {
                $0.updateMessageExpiry = true
                $0.messageExpirySeconds = .max
            }
            #expect(try await alice.patch("groups/\(group)", request).outcome == Outcome(200), "nothing is beyond that")
        }
    }

    /// 101 is for a value that breaks a rule of the protocol's list, 100 for anything else that cannot be carried out.
    @Test func eachRefusalHasItsCode() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let group = try await server.group("g", [alice])
            func register(_ change: (inout WireRegisterRequest) -> Void) async throws -> Outcome {
                var request = WireRegisterRequest.with {
                    $0.username = "new"
                    $0.password = "password"
                }
                change(&request)
                return try await alice.post("register", request).outcome
            }
            #expect(try await register { $0.username = "_x" } == Outcome(400, 101))
            #expect(try await register { $0.password = "short" } == Outcome(400, 101))
            #expect(try await register { $0.alias = "a\u{7}" } == Outcome(400, 101))
            let junk: [UInt8] = [0xFF, 0xFF, 0xFF]
            func send(_ method: String, _ path: String, _ body: [UInt8]) async throws -> Outcome {
                try await alice.send(method, path, headers: [:], body: body).outcome
            }
            for (method, path) in [
                ("POST", "register"), ("POST", "login"), ("PATCH", "me"), ("POST", "groups"), ("POST", "key-packages"),
                ("PATCH", "groups/\(group)"), ("POST", "groups/\(group)/messages"),
            ] {
                #expect(try await send(method, path, junk) == Outcome(400, 100), "\(path)")
            }
            let long = WireUpdateProfileRequest.with { $0.alias = String(repeating: "a", count: 65) }
            #expect(try await alice.patch("me", long).outcome == Outcome(400, 101))
            #expect(try await alice.post("groups", WireCreateGroupRequest()).outcome == Outcome(400, 101))
            #expect(try await alice.post("key-packages", WireUploadKeyPackageRequest()).outcome == Outcome(400, 100))
            let change = WireChangePasswordRequest.with {
                $0.currentPassword = "password"
                $0.newPassword = "short"
            }
            #expect(try await alice.post("change-password", change).outcome == Outcome(400, 101))
            for path in ["invite", "escrow-invite", "messages", "commit", "external-join", "ban", "promote"] {
                #expect(try await alice.post("groups/\(group)/\(path)").outcome == Outcome(400, 100), "\(path)")
            }
            let target = WireRemoveMemberRequest.with { $0.userID = bob.id.blob }
            #expect(try await alice.post("groups/\(group)/remove", target).outcome == Outcome(400, 100))
            #expect(try await alice.post("groups/\(group)/unban", target).outcome == Outcome(400, 100))
            let demotion = WireDemoteMemberRequest.with { $0.userID = alice.id.blob }
            #expect(try await alice.post("groups/\(group)/demote", demotion).outcome == Outcome(400, 100))
        }
    }

    @Test func thePublicSearchIgnoresCase() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            for name in ["Lunch_Club", "lunch2", "Dinner"] {
                let group = try await server.group(name, [alice])
                try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })
                    .expect(Outcome(200))
            }
            for pattern in ["lunch", "LUNCH", "uNc"] {
                let found = try await alice.get("groups/public?pattern=\(pattern)", WireListPublicGroupsResponse.self)
                #expect(found.groups.map(\.groupName) == ["Lunch_Club", "lunch2"], "\(pattern)")
            }
        }
    }

    @Test func aUUIDInAPathHasTheFormsOfItsStandard() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let id = "\(alice.id)"
            let bare = id.replacingOccurrences(of: "-", with: "")
            for form in [id, id.uppercased(), bare, bare.uppercased()] {
                #expect(try await alice.get("users/by-id/\(form)").outcome == Outcome(200), "\(form)")
            }
            for form in [String(bare.dropLast()), bare + "0", "-" + bare.dropLast(), "{\(id)}"] {
                #expect(try await alice.get("users/by-id/\(form)").outcome == Outcome(400, -1), "\(form)")
            }
        }
    }

    /// Where this server is stricter on purpose.
    @Test func strictOnPurpose() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let bob = try await server.user("bob")
            let group = try await server.group("g", [alice])
            #expect(try await alice.message([], to: group).outcome == Outcome(400, 100))
            #expect(try await alice.commit([], to: group).outcome == Outcome(400, 100))
            #expect(try await alice.get("groups/\(group)/messages?limit=0").outcome == Outcome(400, 100))
            #expect(try await alice.get("groups/\(group)/messages?after=-1").outcome == Outcome(400, -1))
            try await alice.post("groups/\(group)/ban", WireBanMemberRequest.with { $0.userID = bob.id.blob })
                .expect(Outcome(200))
            let invite = WireInviteToGroupRequest.with { $0.userIds = [bob.id.blob] }
            #expect(try await alice.post("groups/\(group)/invite", invite).outcome == Outcome(403, 403))
        }
    }
}
