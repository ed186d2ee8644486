import ConclaveProtocol
import Foundation
import HTTPTransport
import Synchronization
import Testing
import TransportConformance
import WaxwingCore

/// When polling takes the place of streams, and when it does not.
@Suite(.ahead) struct FallbackTests {
    /// A server that answers polls with event 1, then never, and requests for a stream as `stream` says.
    private func server(
        poll: (@Sendable (ScriptedServer.Connection) -> Void)? = nil,
        stream: @escaping @Sendable (ScriptedServer.Connection) -> Void
    ) throws -> ScriptedServer {
        let batches = [try Heard.batch([], next: "10"), try Heard.batch([1], next: "11")]
        return try ScriptedServer { connection, server in
            while let request = connection.readRequest() {
                server.note(request)
                if request.isStream {
                    // What comes after it belongs to no one.
                    return stream(connection)
                } else if let poll {
                    poll(connection)
                } else if request.query.hasSuffix("wait=0") {
                    connection.answer(batches[0])
                } else if request.query.hasPrefix("after=10&") {
                    connection.answer(batches[1])
                } else {
                    connection.waitForEnd()
                }
            }
        }
    }

    private func transport(
        _ server: ScriptedServer, _ sayings: Sayings, _ change: (inout HTTPTransport.Options) -> Void = { _ in }
    ) throws -> HTTPTransport {
        try .toTest(server.url, .auto) {
            $0.onFallback = sayings.note
            change(&$0)
        }
    }

    /// Checks that a feed switches to polling, says `words` about it once, and that the next feed polls from the start.
    private func expectFallback(
        to heard: [FeedEvent], saying words: String..., change: (inout HTTPTransport.Options) -> Void = { _ in },
        stream: @escaping @Sendable (ScriptedServer.Connection) -> Void
    ) async throws {
        let (server, sayings) = (try server(stream: stream), Sayings())
        let transport = try transport(server, sayings, change)
        #expect(try await Heard.first(heard.count, transport.events(token: "t0ken")) == heard)
        #expect(sayings.all.count == 1)
        for word in words { #expect(sayings.all.first?.contains(word) == true, "\(sayings.all)") }
        #expect(try await Heard.first(1, transport.events(token: "other")) == [.opened])
        #expect(server.requests.count { $0.isStream } == 1)
        #expect(sayings.all.count == 1, "it is said once")
    }

    @Test func aStreamThatDoesNotBeginIsHeldBack() async throws {
        try await expectFallback(
            to: [.opened, Heard.hint(1)], saying: "hold it back", "long-polling",
            change: { $0.feedHeadTimeout = .milliseconds(200) }
        ) { $0.waitForEnd() }
    }

    @Test func aStreamThatBeginsAndSaysNothingIsHeldBack() async throws {
        // What happened since it was opened may be lost.
        try await expectFallback(
            to: [.opened, .lagged, Heard.hint(1)], saying: "hold it back",
            change: { $0.feedSilenceTimeout = .milliseconds(200) }
        ) { connection in
            connection.beginFeed()
            connection.waitForEnd()
        }
    }

    @Test(arguments: [
        ("200 OK", "text/html"), ("404 Not Found", ""), ("302 Found", "text/html"), ("406 Not", "text/plain"),
    ])
    func somethingElseInPlaceOfAStreamIsNoWay(status: String, type: String) async throws {
        try await expectFallback(to: [.opened, Heard.hint(1)], saying: "something else") { connection in
            connection.answer([], status: status, type: type)
        }
    }

    @Test func streamsThatAreCutAgainAndAgainAreGivenUp() async throws {
        let (server, sayings) = (
            try server { connection in
                connection.beginFeed()
                connection.write(": hello\n\n")
            }, Sayings()
        )
        let transport = try transport(server, sayings)
        for _ in 0..<2 {
            let (events, error) = await Heard.all(transport.events(token: "t0ken"))
            #expect(events == [.opened] && error?.cause == .connectionLost)
        }
        #expect(sayings.all.isEmpty)
        #expect(try await Heard.first(3, transport.events(token: "t0ken")) == [.opened, .lagged, Heard.hint(1)])
        #expect(sayings.all.count == 1 && sayings.all[0].contains("cut again and again"))
        #expect(server.requests.count { $0.isStream } == 3)
    }

    @Test func aStreamThatLivedLongMayEnd() async throws {
        let server = try server { $0.beginFeed() }
        let transport = try transport(server, Sayings()) { $0.feedShortLife = .zero }
        for _ in 0..<5 { #expect(await Heard.all(transport.events(token: "t0ken")).1?.cause == .connectionLost) }
        #expect(server.requests.allSatisfy { $0.isStream })
    }

    @Test func aLivingStreamThatFallsSilentIsNotHeldBack() async throws {
        let server = try server { connection in
            connection.beginFeed()
            connection.write(": hello\n\n")
            connection.waitForEnd()
        }
        let transport = try transport(server, Sayings()) { $0.feedSilenceTimeout = .milliseconds(200) }
        let (events, error) = await Heard.all(transport.events(token: "t0ken"))
        #expect(events == [.opened] && error?.cause == .timeout)
        #expect(server.requests.allSatisfy { $0.isStream })
    }

    /// Something on the way lets the beginning of an answer through and holds the rest.
    @Test func streamsThatBeginAndThenFallSilentAreHeldBack() async throws {
        let server = try server { connection in
            connection.beginFeed()
            connection.write(": hello\n\n")
            connection.waitForEnd()
        }
        let sayings = Sayings()
        let transport = try transport(server, sayings) { $0.feedSilenceTimeout = .milliseconds(200) }
        let (events, error) = await Heard.all(transport.events(token: "t0ken"))
        #expect(events == [.opened] && error?.cause == .timeout && sayings.all.isEmpty)
        #expect(try await Heard.first(3, transport.events(token: "t0ken")) == [.opened, .lagged, Heard.hint(1)])
        #expect(sayings.all.count == 1 && sayings.all[0].contains("hold it back"))
    }

    @Test func aStreamThatLivedLongMayFallSilent() async throws {
        let server = try server { connection in
            connection.beginFeed()
            connection.write(": hello\n\n")
            connection.waitForEnd()
        }
        let transport = try transport(server, Sayings()) {
            $0.feedSilenceTimeout = .milliseconds(100)
            $0.feedShortLife = .zero
        }
        for _ in 0..<4 { #expect(await Heard.all(transport.events(token: "t0ken")).1?.cause == .timeout) }
        #expect(server.requests.allSatisfy { $0.isStream })
    }

    @Test(arguments: ["401 Unauthorized", "403 Forbidden", "429 Too Many Requests", "503 Service Unavailable"])
    func aRefusalSaysNothingAboutStreams(status: String) async throws {
        let server = try server { $0.answer([], status: status, type: "") }
        let (events, error) = await Heard.all(try transport(server, Sayings()).events(token: "t0ken"))
        #expect(events.isEmpty && error?.cause == .badAnswer)
        #expect(server.requests.allSatisfy { $0.isStream })
    }

    @Test func wherePollsGetNoAnswerEitherStreamsAreTriedAgain() async throws {
        let isPortal = Mutex(true)
        let frame = try Heard.frame(5)
        let server = try server(poll: { $0.answerLikeAPortal() }) { connection in
            if isPortal.withLock({ $0 }) { return connection.answerLikeAPortal() }
            connection.beginFeed()
            connection.write("data: \(frame)\n\n")
            connection.waitForEnd()
        }
        let sayings = Sayings()
        let transport = try transport(server, sayings)
        let (events, error) = await Heard.all(transport.events(token: "t0ken"))
        #expect(events.isEmpty && error?.cause == .badAnswer)
        isPortal.withLock { $0 = false }
        #expect(try await Heard.first(2, transport.events(token: "t0ken")) == [.opened, Heard.hint(5)])
        #expect(sayings.all.isEmpty)
    }

    @Test func withoutLongPollingThereAreIntervals() async throws {
        let server = try server(poll: { $0.answer([], status: "404 Not Found", type: "") }, stream: { $0.waitForEnd() })
        let sayings = Sayings()
        let transport = try transport(server, sayings) { $0.feedHeadTimeout = .milliseconds(200) }
        #expect(try await Heard.first(3, transport.events(token: "t0ken")) == [.opened, .lagged, .lagged])
        #expect(sayings.all.count == 1 && sayings.all[0].contains("at intervals"))
    }

    @Test func pollingGoesOnWhereTheLastStreamWas() async throws {
        let frame = try Heard.frame(7)
        let streams = Mutex(0)
        let server = try server { connection in
            let number = streams.withLock { count in
                count += 1
                return count
            }
            guard number == 1 else { return connection.waitForEnd() }
            connection.beginFeed()
            connection.write("id: 10\ndata: \(frame)\n\n")
            connection.waitForEnd()
        }
        let transport = try transport(server, Sayings()) { $0.feedHeadTimeout = .milliseconds(200) }
        #expect(try await Heard.first(2, transport.events(token: "t0ken")) == [.opened, Heard.hint(7)])
        #expect(try await Heard.first(2, transport.events(token: "t0ken")) == [.opened, Heard.hint(1)])
        #expect(server.requests.first { $0.isPoll }?.query == "after=10&wait=0")
    }
}
