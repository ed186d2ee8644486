import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

extension User {
    /// The answer to a poll.
    fileprivate func poll(after cursor: String? = nil, wait: Int = 0) async throws -> WirePollEventsResponse {
        let query = cursor.map { "after=\($0)&wait=\(wait)" } ?? "wait=\(wait)"
        return try await get("events/poll?\(query)", WirePollEventsResponse.self)
    }

    /// The cursor that stands for now.
    fileprivate func now() async throws -> String { try await poll().nextCursor }
}

extension WirePollEventsResponse {
    fileprivate var hints: [ServerEvent] {
        get throws { try events.map { try WireServerEvent(serializedBytes: $0).event.required } }
    }
}

@Suite(.timeLimit(.minutes(2))) struct PollTests {
    /// Alice and Bob in a group.
    private func withPair(
        _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (_ server: TestServer, _ alice: User, _ bob: User, _ group: ID) async throws -> Void
    ) async throws {
        try await TestServer.run(change) { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            try await body(server, alice, bob, try await server.group("g", [alice, bob]))
        }
    }

    /// Waits until this many polls wait at the server.
    private func waitUntilPolled(_ server: TestServer, _ count: Int = 1) async throws {
        while server.bus.pollCount != count { try await Task.sleep(for: .milliseconds(5)) }
    }

    @Test func withoutACursorItBeginsNow() async throws {
        try await withPair { _, alice, bob, group in
            try await alice.sendText("x", to: group).expect(Outcome(200))
            // However long it may wait.
            let first = try await bob.poll(wait: 60)
            #expect(first.events.isEmpty && first.missed == 0)
            try await alice.sendText("x", to: group).expect(Outcome(200))
            #expect(
                try await bob.poll(after: first.nextCursor).hints
                    == [.newMessage(in: group, sequence: 3, sender: alice.id)])
        }
    }

    @Test func whatCameSinceIsAnsweredAtOnceAndInOrder() async throws {
        try await withPair { _, alice, bob, group in
            let start = try await bob.now()
            for _ in 0..<3 { try await alice.sendText("x", to: group).expect(Outcome(200)) }
            let batch = try await bob.poll(after: start, wait: 60)
            #expect(try batch.hints == (2...4).map { .newMessage(in: group, sequence: $0, sender: alice.id) })
            #expect(batch.missed == 0)
            #expect(try await bob.poll(after: batch.nextCursor).events.isEmpty)
            // They are for Bob alone, but Alice need not look at them again.
            let others = try await alice.poll(after: start)
            #expect(others.events.isEmpty && others.nextCursor == batch.nextCursor)
        }
    }

    @Test func aPollEndsWhenSomethingComes() async throws {
        try await withPair { server, alice, bob, group in
            async let waiting = bob.poll(after: bob.now(), wait: 60)
            try await waitUntilPolled(server)
            try await alice.sendText("x", to: group).expect(Outcome(200))
            #expect(try await waiting.hints == [.newMessage(in: group, sequence: 2, sender: alice.id)])
            try await waitUntilPolled(server, 0)
        }
    }

    @Test func aPollEndsWhenItsTimeIsUp() async throws {
        try await withPair { server, _, bob, _ in
            let start = try await bob.now()
            let batch = try await bob.poll(after: start, wait: 1)
            #expect(batch.events.isEmpty && batch.missed == 0 && batch.nextCursor == start)
            #expect(server.bus.pollCount == 0)
        }
    }

    @Test func cursorsAreTheIdsOfServerSentEvents() async throws {
        try await withPair { server, alice, bob, group in
            let start = try await bob.now()
            try await alice.sendText("x", to: group).expect(Outcome(200))
            try await alice.sendText("x", to: group).expect(Outcome(200))
            // From a poll to a stream …
            let stream = server.bus.subscribe(user: bob.id, tokenHash: Data(), lastEventID: start)
            let ids = stream.reader.drain().split(separator: "\n").filter { $0.hasPrefix("id: ") }.map {
                $0.dropFirst(4)
            }
            try #require(ids.count == 2)
            #expect(try await bob.poll(after: start).nextCursor == ids[1])
            // … and back.
            #expect(
                try await bob.poll(after: String(ids[0])).hints
                    == [.newMessage(in: group, sequence: 3, sender: alice.id)])
        }
    }

    @Test func anUnknownPlaceIsAGap() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var bob = User(name: "", id: try .random(), token: "", port: 0)
        var old = ""
        try await TestServer.run(directory: directory) { server in
            bob = try await server.user("bob")
            old = try await bob.now()
        }
        try await TestServer.run(directory: directory) { server in
            bob = User(name: "bob", id: bob.id, token: bob.token, port: server.port)
            let now = try await bob.now()
            for cursor in [old, "0", "x", "", "18446744073709551615", "-1"] {
                let batch = try await bob.poll(after: cursor, wait: 60)
                #expect(batch.missed > 0 && batch.events.isEmpty && batch.nextCursor == now, "from \(cursor)")
            }
            #expect(try await bob.poll(after: now).missed == 0)
        }
    }

    @Test func whatIsForgottenIsAGapAndABatchIsBounded() throws {
        let bus = EventBus(boot: 1, readerBuffer: 10)
        let (alice, bob) = (try ID.random(), try ID.random())
        let event = try AddressedEvent(.groupDeleted(alice), addressees: [alice])
        bus.publish(Array(repeating: event, count: ServerLimits.recentEvents + 100))
        let first: UInt64 = 1 << 32
        let lagged = bus.batch(for: alice, after: "\(first + 10)")
        #expect(lagged.missed == 90 && lagged.events.count == ServerLimits.eventsPerPoll)
        // One after the other, every event that is still there is heard once.
        var (cursor, heard) = ("\(first + 100)", 0)
        while true {
            let batch = bus.batch(for: alice, after: cursor)
            guard !batch.isEmpty else { break }
            #expect(batch.missed == 0 && batch.events.count <= ServerLimits.eventsPerPoll)
            heard += batch.events.count
            cursor = "\(batch.cursor)"
        }
        #expect(heard == ServerLimits.recentEvents)
        let other = bus.batch(for: bob, after: "\(first + 100)")
        #expect(other.isEmpty && other.cursor == first + UInt64(ServerLimits.recentEvents) + 100)
    }

    @Test func aPollEndsWithItsSession() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            var again = alice
            again.token = try await alice.login()
            let start = try await alice.now()
            async let first = alice.get("events/poll?after=\(start)&wait=60")
            async let second = again.get("events/poll?after=\(start)&wait=60")
            try await waitUntilPolled(server, 2)
            try await alice.post("logout").expect(Outcome(204))
            #expect(try await first.outcome == Outcome(401, 202))
            #expect(server.bus.pollCount == 1, "the other session goes on")
            let change = WireChangePasswordRequest.with {
                $0.currentPassword = "password"
                $0.newPassword = "new password"
            }
            try await again.post("change-password", change).expect(Outcome(200))
            #expect(try await second.outcome == Outcome(401, 202))
        }
    }

    @Test func onlyASessionMayPoll() async throws {
        try await TestServer.run { server in
            var alice = try await server.user("alice")
            alice.token = ""
            #expect(try await alice.get("events/poll").outcome == Outcome(401, 200))
            alice.token = String(repeating: "0", count: 64)
            #expect(try await alice.get("events/poll?after=1&wait=60").outcome == Outcome(401, 202))
        }
    }

    @Test func aStopDoesNotWaitForPolls() async throws {
        var waiting: Task<WirePollEventsResponse, any Error>?
        try await withPair { server, _, bob, _ in
            let start = try await bob.now()
            waiting = Task { try await bob.poll(after: start, wait: 60) }
            try await waitUntilPolled(server)
            server.bus.close()
            let batch = try await waiting?.value
            #expect(batch?.events.isEmpty == true && batch?.nextCursor == start)
            // Someone who comes meanwhile does not wait either.
            #expect(try await bob.poll(after: start, wait: 60).events.isEmpty)
        }
    }

    @Test func oneUserHasSoManyPollsAndTheNewestStay() throws {
        let bus = EventBus(boot: 1, readerBuffer: 10)
        let alice = try ID.random()
        let polls = (0..<ServerLimits.eventPollsPerUser + 2).compactMap { _ -> EventPoll? in
            guard case .waiting(let poll) = bus.poll(user: alice, tokenHash: Data(), after: "\(UInt64(1) << 32)") else {
                return nil
            }
            return poll
        }
        #expect(polls.count == ServerLimits.eventPollsPerUser + 2)
        #expect(bus.pollCount == ServerLimits.eventPollsPerUser)
        for poll in polls { bus.forget(poll) }
        #expect(bus.pollCount == 0)
    }

    @Test func aPollTooManyIsToldSo() async throws {
        try await withPair { server, alice, bob, group in
            let start = try await bob.now()
            async let oldest = bob.get("events/poll?after=\(start)&wait=60")
            try await waitUntilPolled(server)
            let tokenHash = try SessionToken(authorization: "Bearer \(bob.token)").hash
            let others = (0..<ServerLimits.eventPollsPerUser).map { _ in
                server.bus.poll(user: bob.id, tokenHash: tokenHash, after: start)
            }
            let reply = try await oldest
            #expect(reply.status == 429 && reply.headers["retry-after"] == "60")
            withExtendedLifetime(others) {}
        }
    }

    @Test func pollsAreNotCountedAsAttemptsToLogIn() async throws {
        try await TestServer.run {
            $0.rateLimit = .perMinute(2)
        } _: { server in
            let alice = try await server.user("alice")
            let start = try await alice.now()
            for _ in 0..<50 { #expect(try await alice.poll(after: start).nextCursor == start) }
            #expect(try await alice.get("me").outcome == Outcome(200))
        }
    }

    @Test func pollingKeepsASessionAlive() async throws {
        try await TestServer.run {
            $0.tokenTTL = 1000
        } _: { server in
            let alice = try await server.user("alice")
            for _ in 0..<3 {
                server.clock.advance(900)
                _ = try await alice.now()
            }
        }
    }

    @Test func answersAreNotToBeStoredOnTheWay() async throws {
        try await TestServer.run { server in
            let reply = try await server.user("alice").get("events/poll")
            #expect(reply.headers["cache-control"] == "no-store")
            #expect(reply.headers["content-type"] == "application/x-protobuf")
        }
    }

    @Test func waitsAreCheckedAndBounded() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let reply = try await alice.get("events/poll?wait=soon")
            #expect(reply.outcome == Outcome(400, -1))
            let start = try await alice.now()
            #expect(try await alice.poll(after: start, wait: -5).nextCursor == start)
            #expect(
                ServerLimits.pollSeconds <= ServerLimits.pollSecondsMax
                    && ServerLimits.pollSecondsMax < Int(ServerLimits.idleSeconds))
        }
    }

    @Test func oneConnectionCarriesManyPolls() async throws {
        try await withPair { server, alice, bob, group in
            let start = try await bob.now()
            let polling = Task {
                try await onThread {
                    let connection = try HTTPConnection(port: bob.port)
                    var (cursor, count) = (start, 0)
                    while count < 5 {
                        try connection.send(
                            "GET", "/api/v1/events/poll?after=\(cursor)&wait=9",
                            headers: ["Authorization": "Bearer \(bob.token)"], body: [])
                        let body = try connection.readBody(connection.readHead().headers)
                        let batch = try WirePollEventsResponse(serializedBytes: body)
                        (cursor, count) = (batch.nextCursor, count + batch.events.count)
                    }
                    return count
                }
            }
            for _ in 0..<5 {
                try await waitUntilPolled(server)
                try await alice.sendText("x", to: group).expect(Outcome(200))
            }
            #expect(try await polling.value == 5)
        }
    }
}
