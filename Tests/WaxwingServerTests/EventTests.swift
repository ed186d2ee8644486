import ConclaveProtocol
import Foundation
import Synchronization
import Testing

@testable import WaxwingServer

/// An open event stream over HTTP, read frame by frame.
private final class EventProbe: Sendable {
    struct Frame: Equatable {
        var id: UInt64?
        var event = "message"
        var data = ""
        var comment: String?
    }

    private let connection: HTTPConnection

    init(_ user: User, lastEventID: String? = nil) async throws {
        connection = try await onThread {
            let connection = try HTTPConnection(port: user.port)
            var headers = ["Authorization": "Bearer \(user.token)"]
            headers["Last-Event-ID"] = lastEventID
            try connection.send("GET", "/api/v1/events", headers: headers, body: [])
            let head = try connection.readHead()
            guard head.status == 200, head.headers["content-type"] == "text/event-stream",
                head.headers["x-accel-buffering"] == "no"
            else {
                throw HTTPConnection.Failure(what: "status \(head.status)")
            }
            return connection
        }
    }

    /// The frames of the next chunk; nil at the end of the stream.
    func next() async throws -> [Frame]? {
        guard let chunk = try await onThread({ [connection] in try connection.readChunk() }) else { return nil }
        return String(decoding: chunk, as: UTF8.self).components(separatedBy: "\n\n").dropLast().map { text in
            var frame = Frame()
            for line in text.split(separator: "\n") {
                let value = line.drop { $0 != ":" }.dropFirst().drop { $0 == " " }
                switch line.prefix(while: { $0 != ":" }) {
                case "": frame.comment = String(value)
                case "id": frame.id = UInt64(value)
                case "event": frame.event = String(value)
                case "data": frame.data = String(value)
                default: frame.data = "?"
                }
            }
            return frame
        }
    }

    /// The next `count` frames that are not comments.
    func events(_ count: Int) async throws -> [Frame] {
        var frames: [Frame] = []
        while frames.count < count {
            guard let more = try await next() else { throw HTTPConnection.Failure(what: "the stream ended") }
            frames += more.filter { $0.comment == nil }
        }
        return frames
    }

    func end() async throws {
        while try await next() != nil {}
    }
}

/// A clock that jumps once it was read a number of times.
private final class ClockScript: Sendable {
    private struct State {
        var now: Int64 = 1_800_000_000
        var jump: (seconds: Int64, readings: Int)?
    }

    private let state = Mutex(State())

    func jump(by seconds: Int64, afterReadings readings: Int) {
        state.withLock { $0.jump = (seconds, readings) }
    }

    func read() -> Int64 {
        state.withLock { state in
            if let jump = state.jump {
                if jump.readings == 0 {
                    state.now += jump.seconds
                    state.jump = nil
                } else {
                    state.jump = (jump.seconds, jump.readings - 1)
                }
            }
            return state.now
        }
    }
}

@Suite struct EventTests {
    @Test func aStreamBeginsWithACommentAndCarriesEventsInOrder() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            let stream = try await EventProbe(bob)
            #expect(try await stream.next()?.map(\.comment) == ["welcome"])
            for _ in 0..<3 { try await alice.sendText("x", to: group).expect(Outcome(200)) }
            let frames = try await stream.events(3)
            let hints = try frames.map { try ServerEvent(hex: $0.data[...]) }
            #expect(hints == (2...4).map { .newMessage(in: group, sequence: $0, sender: alice.id) })
            let ids = try frames.map { try $0.id.required }
            #expect(ids == [ids[0], ids[0] + 1, ids[0] + 2])
            #expect(frames.allSatisfy { $0.data == $0.data.lowercased() })
        }
    }

    @Test func aReaderResumesAfterItsLastEvent() async throws {
        try await TestServer.run { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let group = try await server.group("g", [alice, bob])
            let stream = try await EventProbe(bob)
            for _ in 0..<3 { try await alice.sendText("x", to: group).expect(Outcome(200)) }
            let frames = try await stream.events(3)
            let resumed = try await EventProbe(bob, lastEventID: "\(frames[0].id.required)")
            #expect(try await resumed.events(2) == Array(frames[1...]))
            let current = try await EventProbe(bob, lastEventID: "\(frames[2].id.required)")
            try await alice.sendText("x", to: group).expect(Outcome(200))
            #expect(try await current.events(1)[0].id == frames[2].id.required + 1)
        }
    }

    @Test func anUnknownPlaceInTheStreamIsAGap() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var lastID: UInt64 = 0
        var (alice, bob) = (
            User(name: "", id: try .random(), token: "", port: 0), User(name: "", id: try .random(), token: "", port: 0)
        )
        var group = alice.id
        try await TestServer.run(directory: directory) { server in
            (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            group = try await server.group("g", [alice, bob])
            let stream = try await EventProbe(bob)
            try await alice.sendText("x", to: group).expect(Outcome(200))
            lastID = try await stream.events(1)[0].id.required
        }
        try await TestServer.run(directory: directory) { server in
            alice = User(name: "alice", id: alice.id, token: alice.token, port: server.port)
            bob = User(name: "bob", id: bob.id, token: bob.token, port: server.port)
            for id in ["\(lastID)", "0", "x", "18446744073709551615"] {
                let frame = try await EventProbe(bob, lastEventID: id).events(1)[0]
                #expect(frame.event == "lagged" && Int(frame.data) == 1, "from \(id)")
            }
            let stream = try await EventProbe(bob)
            try await alice.sendText("x", to: group).expect(Outcome(200))
            #expect(try await stream.events(1)[0].id.required > lastID, "ids grow over restarts")
        }
    }

    @Test func aSlowReaderIsToldHowMuchItMissed() async throws {
        try await TestServer.run {
            $0.readerBuffer = 4
        } _: { server in
            let alice = try await server.user("alice")
            let subscription = server.bus.subscribe(user: alice.id, tokenHash: Data(), lastEventID: nil)
            let event = try AddressedEvent(.groupDeleted(alice.id), addressees: [alice.id])
            server.bus.publish(Array(repeating: event, count: 10))
            let text = subscription.reader.drain()
            #expect(text.components(separatedBy: "data: \(hexEncode(event.bytes))\n").count == 5)
            #expect(text.hasSuffix("\n\nevent: lagged\ndata: 6\n\n"))
            server.bus.publish([event])
            #expect(subscription.reader.drain().hasPrefix("id: "), "afterwards it goes on")
        }
    }

    @Test func whatTheRingForgotIsAGap() throws {
        let bus = EventBus(boot: 1, readerBuffer: 10_000)
        let (alice, bob) = (try ID.random(), try ID.random())
        let event = try AddressedEvent(.groupDeleted(alice), addressees: [alice])
        let count = ServerLimits.recentEvents + 100
        for _ in 0..<count { bus.publish([event]) }
        let first: UInt64 = 1 << 32
        let lagged = bus.subscribe(user: alice, tokenHash: Data(), lastEventID: "\(first + 10)")
        #expect(lagged.reader.drain().contains("event: lagged"))
        let caughtUp = bus.subscribe(user: alice, tokenHash: Data(), lastEventID: "\(first + 100)")
        let text = caughtUp.reader.drain()
        #expect(text.components(separatedBy: "id: ").count == ServerLimits.recentEvents + 1 && !text.contains("lagged"))
        let other = bus.subscribe(user: bob, tokenHash: Data(), lastEventID: "\(first + 100)")
        #expect(other.reader.drain().isEmpty, "events are for their addressees only")
    }

    @Test func silenceIsFilledWithComments() async throws {
        try await TestServer.run {
            $0.heartbeat = 0.05
        } _: { server in
            let stream = try await EventProbe(try await server.user("alice"))
            for _ in 0..<3 { #expect(try await stream.next()?.first?.comment != nil) }
        }
    }

    @Test func aStreamEndsWithItsSession() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            var again = alice
            again.token = try await alice.login()
            let (first, second) = (try await EventProbe(alice), try await EventProbe(again))
            try await alice.post("logout").expect(Outcome(204))
            try await first.end()
            let change = WireChangePasswordRequest.with {
                $0.currentPassword = "password"
                $0.newPassword = "new password"
            }
            try await again.post("change-password", change).expect(Outcome(200))
            try await second.end()
        }
    }

    @Test func aStreamEndsWhenItsSessionExpires() async throws {
        try await TestServer.run {
            $0.tokenTTL = 1000
        } _: { server in
            let (alice, bob) = (try await server.user("alice"), try await server.user("bob"))
            let (over, alive) = (try await EventProbe(alice), try await EventProbe(bob))
            server.clock.advance(999)
            try await bob.get("me").expect(Outcome(200))
            try await Housekeeping(store: server.server.store).sweep()
            #expect(server.bus.readerCount == 2)
            server.clock.advance(1)
            try await Housekeeping(store: server.server.store).sweep()
            try await over.end()
            server.bus.heartbeat()
            #expect(try await alive.next()?.first?.comment == "welcome")
            #expect(try await alive.next()?.first?.comment == "still here")
        }
    }

    /// The clock is read once for each look at the session: it is alive at the first and over at the second.
    @Test func aSessionThatEndsBeforeItsStreamBeginsHasNone() async throws {
        let script = ClockScript()
        try await TestServer.run {
            $0.tokenTTL = 1000
            $0.clock = { script.read() }
        } _: { server in
            let alice = try await server.user("alice")
            script.jump(by: 1000, afterReadings: 1)
            #expect(try await alice.get("events").outcome == Outcome(401, 202))
            #expect(server.bus.readerCount == 0)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aReaderThatGoesAwayIsForgotten() async throws {
        try await TestServer.run {
            $0.heartbeat = 0.05
        } _: { server in
            let alice = try await server.user("alice")
            var stream: EventProbe? = try await EventProbe(alice)
            _ = try await stream?.next()
            #expect(server.bus.readerCount == 1)
            stream = nil
            while server.bus.readerCount > 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    @Test func oneUserHasSoManyStreams() throws {
        let bus = EventBus(boot: 1, readerBuffer: 10)
        let alice = try ID.random()
        let open = (0..<ServerLimits.eventStreamsPerUser + 5).map { _ in
            bus.subscribe(user: alice, tokenHash: Data(), lastEventID: nil)
        }
        #expect(bus.readerCount == ServerLimits.eventStreamsPerUser)
        withExtendedLifetime(open) {}
    }
}
