import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct LogTests {
    @Test func messagesAreNumberedAndPaged() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice])
            for number in 1...120 {
                let reply = try await alice.sendText("m\(number)", to: group)
                #expect(try reply.message(WireSendMessageResponse.self).sequenceNum == UInt64(number))
            }
            let cases: [(String, ClosedRange<UInt64>?)] = [
                ("", 1...100),
                ("?after=0", 1...100),
                ("?after=100", 101...120),
                ("?after=5&limit=3", 6...8),
                ("?limit=500", 1...120),
                ("?limit=100000", 1...120),
                ("?after=120", nil),
                ("?after=18446744073709551615", nil),
            ]
            for (query, expected) in cases {
                let page = try await alice.log(group, query: query)
                #expect(page.map(\.sequenceNum) == expected.map(Array.init) ?? [], "\(query)")
            }
            let first = try await alice.log(group, query: "?limit=1")[0]
            #expect(first.senderID == alice.id.blob && first.mlsMessage == Data("m1".utf8))
            #expect(first.createdAt == UInt64(server.clock.now))

            #expect(try await alice.get("groups/\(group)/messages?limit=0").outcome == Outcome(400, 100))
            // Other servers know no limit then.
            #expect(try await alice.log(group, query: "?limit=-1").map(\.sequenceNum) == Array(1...120))
            for query in ["limit=x", "after=-1", "after=x", "after=18446744073709551616"] {
                let reply = try await alice.get("groups/\(group)/messages?\(query)")
                #expect(
                    reply.outcome == Outcome(400, -1) && reply.headers["content-type"]?.hasPrefix("text/plain") == true)
            }
            #expect(try await alice.sendText("", to: group).outcome == Outcome(400, 100))
            #expect(try await bob.sendText("x", to: group).outcome == Outcome(401, 400))
        }
    }

    @Test func aPageHasSoManyBytes() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let big = WireSendMessageRequest.with { $0.mlsMessage = Data(count: ServerLimits.body - 4) }
            for _ in 0..<3 { try await alice.post("groups/\(group)/messages", big).expect(Outcome(200)) }
            try await alice.sendText("not that large", to: group).expect(Outcome(200))

            for query in ["?limit=500", "?limit=3", "?after=0&limit=4"] {
                let reply = try await alice.get("groups/\(group)/messages\(query)")
                #expect(reply.outcome == Outcome(413, -1), "\(query)")
                #expect(reply.headers["content-type"]?.hasPrefix("text/plain") == true)
            }
            let cases: [(String, ClosedRange<UInt64>)] = [
                ("?limit=2", 1...2), ("?limit=1", 1...1), ("?after=2&limit=100", 3...4), ("?after=3", 4...4),
                // A request without a limit gets as many rows as fit, and can go on from there.
                ("", 1...2), ("?after=0", 1...2), ("?after=1", 2...3), ("?after=2", 3...4), ("?limit=-1", 1...2),
            ]
            for (query, expected) in cases {
                #expect(try await alice.log(group, query: query).map(\.sequenceNum) == Array(expected), "\(query)")
            }
        }
    }

    @Test func aMessageIsAnnouncedToAllButItsSender() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let eve = try await server.user("eve")
            let group = try await server.group("g", [alice, bob])
            let events = try await server.events(for: [alice, bob, eve]) {
                try await alice.sendText("hello", to: group).expect(Outcome(200))
            }
            #expect(events == [[], [.newMessage(in: group, sequence: 2, sender: alice.id)], []])
        }
    }

    @Test func aCommitIsAnnouncedToAllButItsSender() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            var events = try await server.events(for: [alice, bob]) {
                let reply = try await bob.commit(mlsMessage(epoch: 1), info: "info", mlsGroupID: "abcd", to: group)
                #expect(reply.outcome == Outcome(200) && reply.body.isEmpty)
            }
            #expect(events == [[.groupUpdate(of: group, .commit)], []])
            #expect(try await alice.groups()[0].mlsGroupID == "abcd")
            #expect(try await alice.log(group).last?.mlsMessage == Data(mlsMessage(epoch: 1)))

            events = try await server.events(for: [alice, bob]) {
                let fresh = WireUploadCommitRequest.with {
                    $0.groupInfo = Data(groupInfo(epoch: 2, "fresh"))
                    $0.mlsGroupID = "ef01"
                }
                try await bob.post("groups/\(group)/commit", fresh).expect(Outcome(200))
            }
            #expect(events == [[], []])
            #expect(try await alice.storedInfo(group) == "fresh")
            #expect(try await alice.groups()[0].mlsGroupID == "abcd", "it is set once")
            #expect(try await alice.log(group).count == 2)
            #expect(try await bob.commit([], to: group).outcome == Outcome(400, 100))
            for id in ["ABCD", "xyz", "abc"] {
                #expect(try await bob.commit([], info: "x", mlsGroupID: id, to: group).outcome == Outcome(400, 100))
            }
        }
    }

    @Test func firstExternalJoinWelcomesLaterOnesReset() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let carol = try await server.user("carol")
            let group = try await server.group("g", [alice, carol])
            func join(_ user: User, epoch: UInt64) async throws -> Outcome {
                try await user.externalJoin(epoch: epoch, group).outcome
            }
            try await alice.patch("groups/\(group)", WireUpdateGroupRequest.with { $0.visibility = .public })
            #expect(try await join(bob, epoch: 1) == Outcome(401, 400))
            try await bob.post("groups/\(group)/join").expect(Outcome(200))

            var events = try await server.events(for: [alice, bob, carol]) {
                let outcome = try await join(bob, epoch: 1)
                #expect(outcome == Outcome(200))
            }
            #expect(events == Array(repeating: [.groupUpdate(of: group, .commit)], count: 3))
            events = try await server.events(for: [alice, bob, carol]) {
                let outcome = try await join(bob, epoch: 2)
                #expect(outcome == Outcome(200))
            }
            #expect(
                events == [[.identityReset(in: group, user: bob.id)], [], [.identityReset(in: group, user: bob.id)]])
            #expect(try await join(bob, epoch: 2) == Outcome(409, 301))
            let empty = try await bob.post("groups/\(group)/external-join")
            #expect(empty.outcome == Outcome(400, 100))
            let bare = try await server.group("bare", [alice])
            let early = try await alice.externalJoin(epoch: 0, bare)
            #expect(early.outcome == Outcome(400, 100), "no GroupInfo is stored")
        }
    }

    @Test func numbersNeverRestart() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var group = try ID.random()
        var alice = User(name: "alice", id: group, token: "", port: 0)
        try await TestServer.run(directory: directory) { server in
            alice = try await server.user("alice")
            group = try await server.group("g", [alice])
            for _ in 0..<3 { _ = try await alice.sendText("x", to: group) }
            try await alice.patch(
                "groups/\(group)",
                WireUpdateGroupRequest.with {
                    $0.messageExpirySeconds = 10
                    $0.updateMessageExpiry = true
                })
            server.clock.advance(9)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.log(group).count == 3)
            server.clock.advance(1)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.log(group).isEmpty)
        }
        try await TestServer.run(directory: directory) { server in
            let again = User(name: "alice", id: alice.id, token: alice.token, port: server.port)
            let reply = try await again.sendText("y", to: group)
            #expect(try reply.message(WireSendMessageResponse.self).sequenceNum == 4)
        }
    }

    @Test func deleteAfterFetchWaitsForTheSlowestReader() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            try await alice.patch(
                "groups/\(group)", WireUpdateGroupRequest.with { $0.updateMessageExpiry = true })
            for _ in 0..<3 { _ = try await alice.sendText("x", to: group) }
            // Fetching acknowledges nothing; asking for what comes after does.
            #expect(try await bob.log(group).map(\.sequenceNum) == [1, 2, 3, 4])
            #expect(try await alice.log(group, query: "?after=4").isEmpty)
            #expect(try await bob.log(group, query: "?after=2").map(\.sequenceNum) == [3, 4])
            #expect(try await bob.log(group).map(\.sequenceNum) == [3, 4])
            // A cursor beyond the end acknowledges no message that is still to come.
            #expect(try await bob.log(group, query: "?after=1000").isEmpty)
            #expect(try await alice.log(group, query: "?after=1000").isEmpty)
            let reply = try await alice.sendText("y", to: group)
            #expect(try reply.message(WireSendMessageResponse.self).sequenceNum == 5)
            #expect(try await bob.log(group).map(\.sequenceNum) == [5])
        }
    }

    @Test func theOperatorsRetentionHoldsForAllGroups() async throws {
        try await TestServer.run {
            $0.retention = 100
        } _: { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            _ = try await alice.sendText("old", to: group)
            server.clock.advance(60)
            _ = try await alice.sendText("new", to: group)
            server.clock.advance(40)
            try await Housekeeping(store: server.server.store).sweep()
            #expect(try await alice.log(group).map(\.mlsMessage) == [Data("new".utf8)])
            let policy = try await alice.get("groups/\(group)/retention", WireGetRetentionPolicyResponse.self)
            #expect(policy.serverRetentionSeconds == 100)
        }
    }
}
