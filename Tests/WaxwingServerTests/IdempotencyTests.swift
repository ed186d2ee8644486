import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct IdempotencyTests {
    @Test func aRepeatGetsTheFirstAnswerAndDoesNothing() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            let first = try await alice.sendText("hello", to: group, key: "k1")
            _ = try await alice.sendText("between", to: group)
            let events = try await server.events(for: [bob]) {
                let again = try await alice.sendText("hello", to: group, key: "k1")
                #expect(again.body == first.body && again.outcome == Outcome(200))
            }
            #expect(events == [[]])
            #expect(try await alice.log(group).count == 3)

            // Another user's keys are their own.
            try await bob.sendText("hello", to: group, key: "k1").expect(Outcome(200))
            #expect(try await alice.log(group).count == 4)
        }
    }

    @Test func creatingAndAcceptingCanBeRepeated() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let creation = WireCreateGroupRequest.with { $0.groupName = "g" }
            let created = try await alice.post("groups", creation, key: "create")
            #expect(try await alice.post("groups", creation, key: "create").body == created.body)
            let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 0))
            let invite = try await bob.pendingInvite(group)
            for _ in 0..<2 {
                #expect(try await bob.post("invites/\(invite)/accept", key: "accept").outcome == Outcome(200))
            }
            #expect(try await alice.log(group).count == 1)
            for _ in 0..<2 {
                #expect(try await bob.post("groups/\(group)/leave", key: "leave").outcome == Outcome(200))
            }
        }
    }

    @Test func oneKeyStandsForOneRequest() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let other = try await server.group("h", [alice])
            try await alice.sendText("hello", to: group, key: "k").expect(Outcome(200))
            #expect(try await alice.sendText("hullo", to: group, key: "k").outcome == Outcome(409, 301))
            #expect(try await alice.sendText("hello", to: other, key: "k").outcome == Outcome(409, 301))
            #expect(try await alice.log(group).count == 1)
            #expect(try await alice.log(other).isEmpty)
        }
    }

    @Test func longAnswersAndJoinsAreNotKept() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            // Around the key package, the answer has its fields, a little over 25 bytes.
            for (size, isKept) in [(4000, true), (5000, false)] {
                let upload = WireUploadKeyPackageRequest.with {
                    $0.entries = (UInt8(0)...1).map { number in
                        .with { $0.data = Data([0, 1, 0, 5, number] + [UInt8](repeating: 7, count: size)) }
                    }
                }
                try await bob.post("reset-account").expect(Outcome(200))
                try await bob.post("key-packages", upload).expect(Outcome(200))
                let invitation = WireInviteToGroupRequest.with { $0.userIds = [bob.id.blob] }
                let first = try await alice.post("groups/\(group)/invite", invitation, key: "\(size)")
                let second = try await alice.post("groups/\(group)/invite", invitation, key: "\(size)")
                #expect(first.outcome == Outcome(200) && second.outcome == Outcome(200))
                #expect((first.body == second.body) == isKept, "\(size) bytes")
            }
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })
            try await alice.commit(mlsMessage(epoch: 0), info: "info", to: group).expect(Outcome(200))
            #expect(try await bob.post("groups/\(group)/join", key: "join").outcome == Outcome(200))
            #expect(try await bob.post("groups/\(group)/join", key: "join").outcome == Outcome(409, 301))
        }
    }

    @Test func arrivingTogetherTheyActOnce() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let bodies = try await withThrowingTaskGroup(of: [UInt8].self) { tasks in
                for _ in 0..<12 {
                    tasks.addTask {
                        let reply = try await alice.sendText("hello", to: group, key: "k")
                        try reply.expect(Outcome(200))
                        return reply.body
                    }
                }
                return try await tasks.reduce(into: Set()) { $0.insert($1) }
            }
            #expect(bodies.count == 1)
            #expect(try await alice.log(group).count == 1)
        }
    }

    @Test func aRefusalIsLookedAtAfresh() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            #expect(try await bob.sendText("hello", to: group, key: "k").outcome == Outcome(401, 400))
            try await alice.invite(bob, to: group, commit: mlsMessage(epoch: 0))
            try await bob.accept(group)
            #expect(try await bob.sendText("hello", to: group, key: "k").outcome == Outcome(200))
        }
    }

    @Test func keysHaveABoundedLengthNumberAndLife() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let longest = String(repeating: "k", count: 128)
            #expect(try await alice.sendText("x", to: group, key: longest + "k").outcome == Outcome(400, 100))
            #expect(try await alice.sendText("x", to: group, key: longest).outcome == Outcome(200))
            #expect(try await alice.sendText("x", to: group, key: longest).outcome == Outcome(200))
            #expect(try await alice.log(group).count == 1)

            server.clock.advance(ServerLimits.idempotencySeconds - 1)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.sendText("x", to: group, key: longest).outcome == Outcome(200))
            #expect(try await alice.log(group).count == 1)
            server.clock.advance(1)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.sendText("x", to: group, key: longest).outcome == Outcome(200))
            #expect(try await alice.log(group).count == 2)

            let stored = try await server.server.store.write { transaction in
                for number in 0..<1100 {
                    let key = try IdempotencyKey("n\(number)", path: "/", body: Data())
                    _ = try transaction.once(key, by: alice.id) { Answer() }
                }
                return try transaction.rows("SELECT 1 FROM answer").count
            }
            #expect(stored == 1000)
        }
    }
}
