import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct MembershipTests {
    private func removal(_ user: ID, commit: [UInt8] = [], info: String = "") -> WireRemoveMemberRequest {
        .with {
            $0.userID = user.blob
            $0.commitMessage = Data(commit)
            $0.groupInfo = Data(info.isEmpty ? [] : groupInfo(after: commit, info))
        }
    }

    @Test func removingTellsTheRemainingAndTheRemoved() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, bob, carol])
            let path = "groups/\(group)/remove"
            #expect(try await bob.post(path, removal(carol.id)).outcome == Outcome(401, 401))
            #expect(try await alice.post(path, removal(.random())).outcome == Outcome(404, 300))
            #expect(try await alice.post(path, removal(alice.id)).outcome == Outcome(400, 100))
            #expect(try await alice.post(path).outcome == Outcome(400, 100))

            let events = try await server.events(for: [alice, bob, carol]) {
                let request = removal(bob.id, commit: mlsMessage(epoch: 2), info: "without bob")
                try await alice.post(path, request).expect(Outcome(200))
            }
            #expect(events == Array(repeating: [.memberRemoved(from: group, user: bob.id)], count: 3))
            #expect(try await bob.get("groups/\(group)/messages").outcome == Outcome(401, 400))
            #expect(try await alice.log(group).last?.mlsMessage == Data(mlsMessage(epoch: 2)))
            #expect(try await alice.storedInfo(group) == "without bob")
            #expect(try await alice.post(path, removal(bob.id)).outcome == Outcome(400, 100), "no member any more")
        }
    }

    @Test func leavingTellsTheRemaining() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            let events = try await server.events(for: [alice, bob]) {
                try await bob.post("groups/\(group)/leave").expect(Outcome(200))
            }
            #expect(events == [[.memberRemoved(from: group, user: bob.id)], []])
            #expect(try await bob.post("groups/\(group)/leave").outcome == Outcome(401, 400), "the second time")
            #expect(try await alice.post("groups/\(group)/leave").outcome == Outcome(200))
            #expect(try await alice.get("groups/\(group)/messages").outcome == Outcome(404, 300))
        }
    }

    @Test func anInviterWhoLeavesTakesHisInvitesAlong() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, bob])
            try await alice.invite(carol, to: group, commit: mlsMessage(epoch: 1))
            let events = try await server.events(for: [carol]) {
                try await alice.post("groups/\(group)/leave").expect(Outcome(200))
            }
            #expect(events == [[.inviteCancelled(in: group)]])
            let admins = try await bob.get("groups/\(group)/admins", WireListAdminsResponse.self).admins
            #expect(admins.map(\.username) == ["bob"], "somebody can still tend the group")
        }
    }

    @Test func rolesChangeAndEverybodyHears() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let eve = try await server.user("eve")
            let group = try await server.group("g", [alice, bob])
            func change(_ what: String, _ id: ID, by user: User) async throws -> Outcome {
                let request = WirePromoteMemberRequest.with { $0.userID = id.blob }
                return try await user.post("groups/\(group)/\(what)", request).outcome
            }
            let update = ServerEvent.groupUpdate(of: group, .roleChange)

            #expect(try await change("promote", eve.id, by: alice) == Outcome(400, 100))
            #expect(try await change("promote", .random(), by: alice) == Outcome(404, 300))
            #expect(try await change("promote", alice.id, by: alice) == Outcome(409, 301))
            #expect(try await change("demote", alice.id, by: alice) == Outcome(400, 100), "the last admin")
            #expect(try await change("demote", bob.id, by: alice) == Outcome(400, 100), "no admin")
            var events = try await server.events(for: [alice, bob]) {
                let outcome = try await change("promote", bob.id, by: alice)
                #expect(outcome == Outcome(200))
            }
            #expect(events == [[update], [update]])
            let admins = try await bob.get("groups/\(group)/admins", WireListAdminsResponse.self).admins
            #expect(admins.map(\.username) == ["alice", "bob"])
            events = try await server.events(for: [alice, bob]) {
                let outcome = try await change("demote", alice.id, by: bob)
                #expect(outcome == Outcome(200))
            }
            #expect(events == [[update], [update]])
            #expect(try await change("promote", bob.id, by: alice) == Outcome(401, 401))
        }
    }

    @Test func aBanRemovesAndKeepsOut() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, bob, carol])
            func ban(_ id: ID, commit: [UInt8] = []) async throws -> Outcome {
                let request = WireBanMemberRequest.with {
                    $0.userID = id.blob
                    $0.commitMessage = Data(commit)
                }
                return try await alice.post("groups/\(group)/ban", request).outcome
            }
            #expect(try await ban(.random()) == Outcome(404, 300))
            #expect(try await ban(alice.id) == Outcome(400, 100))
            #expect(try await ban(bob.id, commit: mlsMessage(epoch: 1)) == Outcome(409, 301), "the epoch is over")
            #expect(try await bob.get("groups/\(group)/admins").outcome == Outcome(200), "and nothing happened")

            let events = try await server.events(for: [alice, bob, carol]) {
                let outcome = try await ban(bob.id, commit: mlsMessage(epoch: 2))
                #expect(outcome == Outcome(200))
            }
            #expect(events == Array(repeating: [.memberRemoved(from: group, user: bob.id)], count: 3))
            #expect(try await ban(bob.id) == Outcome(409, 301))
            let banned = try await alice.get("groups/\(group)/banned", WireListBannedUsersResponse.self).users
            #expect(banned.map(\.username) == ["bob"] && banned[0].userID == bob.id.blob)
            #expect(banned[0].bannedBy == alice.id.blob && banned[0].bannedAt == UInt64(server.clock.now))
            #expect(try await alice.escrow(bob, to: group, commit: mlsMessage(epoch: 3)).outcome == Outcome(403, 403))

            func unban(_ id: ID) async throws -> Outcome {
                let request = WireUnbanMemberRequest.with { $0.userID = id.blob }
                return try await alice.post("groups/\(group)/unban", request).outcome
            }
            #expect(try await unban(bob.id) == Outcome(200))
            #expect(try await unban(bob.id) == Outcome(400, 100))
            #expect(try await unban(.random()) == Outcome(404, 300))
            #expect(try await alice.escrow(bob, to: group, commit: mlsMessage(epoch: 3)).outcome == Outcome(200))
        }
    }
}
