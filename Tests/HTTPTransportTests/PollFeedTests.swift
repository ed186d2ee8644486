import ConclaveProtocol
import Foundation
import HTTPTransport
import SwiftProtobuf
import Synchronization
import Testing
import TransportConformance
import WaxwingCore

@Suite(.ahead) struct PollFeedTests {
    /// A server that answers the n-th poll as `answers` says, and later ones never.
    private func server(_ answers: [[UInt8]]) throws -> ScriptedServer {
        let left = Mutex(answers[...])
        return try ScriptedServer(answering: { _, connection in
            guard let answer = left.withLock({ $0.popFirst() }) else { return connection.waitForEnd() }
            connection.answer(answer)
        })
    }

    @Test func theFirstPollDoesNotWaitAndEachGoesOnWhereTheLastEnded() async throws {
        let server = try server([
            Heard.batch([], next: "10"), Heard.batch([1, 2], next: "12"), Heard.batch([], next: "15"),
            Heard.batch([3], next: "16"),
        ])
        let feed = try HTTPTransport.toTest(server.url, .poll).events(token: "t0ken")
        #expect(try await Heard.first(4, feed) == [.opened, Heard.hint(1), Heard.hint(2), Heard.hint(3)])
        let polls = server.requests.prefix(4)
        #expect(polls.map(\.query) == ["wait=0", "after=10&wait=2", "after=12&wait=2", "after=15&wait=2"])
        #expect(polls.allSatisfy { $0.isPoll && $0.headers["authorization"] == "Bearer t0ken" })
        #expect(polls.allSatisfy { $0.headers["cache-control"] == "no-store" })
    }

    @Test func theNextFeedGoesOnAfterTheLastBatchThatWasRead() async throws {
        let (none, first, second) = (
            try Heard.batch([], next: "10"), try Heard.batch([1, 2], next: "12"), try Heard.batch([3], next: "13")
        )
        let still = try Heard.batch([], next: "13")
        let server = try ScriptedServer(answering: { request, connection in
            switch request.query {
            case "wait=0": connection.answer(none)
            case "after=10&wait=0", "after=10&wait=2": connection.answer(first)
            case "after=12&wait=2": connection.answer(second)
            case "after=13&wait=0": connection.answer(still)
            default: connection.waitForEnd()
            }
        })
        let transport = try HTTPTransport.toTest(server.url, .poll)
        #expect(try await Heard.first(2, transport.events(token: "t0ken")) == [.opened, Heard.hint(1)])
        // What was only half read is heard again.
        let heard = try await Heard.first(4, transport.events(token: "t0ken"))
        #expect(heard == [.opened, Heard.hint(1), Heard.hint(2), Heard.hint(3)])
        #expect(try await Heard.first(1, transport.events(token: "t0ken")) == [.opened])
        // Another session does not continue where this one was.
        #expect(try await Heard.first(1, transport.events(token: "other")) == [.opened])
        let openings = server.requests.map(\.query).filter { $0.hasSuffix("wait=0") }
        #expect(openings == ["wait=0", "after=10&wait=0", "after=13&wait=0", "wait=0"])
    }

    @Test func timeThatPassesWithoutEventsIsNotAskedAboutAgain() async throws {
        let (none, later) = (try Heard.batch([], next: "10"), try Heard.batch([], next: "20"))
        let hasMoved = Signal()
        let server = try ScriptedServer(answering: { request, connection in
            switch request.query {
            case "wait=0": connection.answer(none)
            case "after=10&wait=2", "after=20&wait=0": connection.answer(later)
            default:
                hasMoved.fire()
                connection.waitForEnd()
            }
        })
        let transport = try HTTPTransport.toTest(server.url, .poll)
        let reading = Task { for try await event in transport.events(token: "t0ken") { #expect(event == .opened) } }
        #expect(await hasMoved.isFired())
        reading.cancel()
        try await reading.value
        #expect(try await Heard.first(1, transport.events(token: "t0ken")) == [.opened])
        #expect(server.requests.contains { $0.query == "after=20&wait=0" })
    }

    @Test func aGapIsToldBeforeWhatCameAfterIt() async throws {
        let server = try server([
            Heard.batch([], next: "10", missed: 1), Heard.batch([1], next: "12", missed: 7),
        ])
        let feed = try HTTPTransport.toTest(server.url, .poll).events(token: "t0ken")
        #expect(try await Heard.first(4, feed) == [.opened, .lagged, .lagged, Heard.hint(1)])
    }

    @Test(arguments: [
        ("401 Unauthorized", "application/x-protobuf", "log in"), ("429 Too Many Requests", "", "429"),
        ("500 Internal Server Error", "", "500"), ("302 Found", "text/html", "redirect"),
        ("404 Not Found", "text/html", "captive portal"), ("200 OK", "application/x-protobuf", "cursor"),
    ])
    func whatIsNoAnswerToAPollEndsWithItsReason(status: String, type: String, words: String) async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.answer([], status: status, type: type)
        })
        let (events, error) = await Heard.all(try HTTPTransport.toTest(server.url, .poll).events(token: "t0ken"))
        #expect(events.isEmpty)
        #expect(error?.cause == .badAnswer && error?.outcome == .unknown)
        #expect(error?.reason.contains(words) == true, "\(String(describing: error))")
        #expect(server.requests.count == 1, "it is not for the transport to try again")
    }

    @Test func aCursorThatStandsStillIsRefused() async throws {
        let server = try server([Heard.batch([], next: "10"), Heard.batch([1], next: "10")])
        let (events, error) = await Heard.all(try HTTPTransport.toTest(server.url, .poll).events(token: "t0ken"))
        #expect(events == [.opened])
        #expect(error?.cause == .badAnswer)
    }

    @Test func aServerThatDoesNotWaitIsNotAskedWithoutPause() async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.answer((try? Heard.batch([], next: "10", missed: 1)) ?? [])
        })
        let transport = try HTTPTransport.toTest(server.url, .poll) { $0.pollPause = .seconds(3600) }
        // The second `lagged` is the second poll's.
        var iterator = transport.events(token: "t0ken").makeAsyncIterator()
        for expected in [FeedEvent.opened, .lagged, .lagged] { #expect(try await iterator.next() == expected) }
        try await Task.sleep(for: .milliseconds(200))
        #expect(server.requests.count == 2)
    }

    // MARK: - A server without the endpoint

    @Test(arguments: ["404 Not Found", "405 Method Not Allowed"])
    func withoutTheEndpointEverythingIsLookedAtAgainAndAgain(status: String) async throws {
        let refusal: [UInt8] = try WireErrorResponse.with { $0.errorCode = .notFound }.serializedBytes()
        for body in [[], refusal] where body.isEmpty || status.hasPrefix("404") {
            let server = try ScriptedServer(answering: { _, connection in
                connection.answer(body, status: status, type: body.isEmpty ? "" : "application/x-protobuf")
            })
            let feed = try HTTPTransport.toTest(server.url, .poll).events(token: "t0ken")
            #expect(try await Heard.first(5, feed) == [.opened, .lagged, .lagged, .lagged, .lagged])
            #expect(server.requests.count == 1)
        }
    }

    @Test func aFeedThatLooksAtIntervalsCanBeCancelled() async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.answer([], status: "404 Not Found", type: "")
        })
        let transport = try HTTPTransport.toTest(server.url, .poll) {
            $0.intervalMin = .seconds(3600)
            $0.intervalMax = .seconds(3600)
        }
        let opened = Signal()
        let task = Task { for try await _ in transport.events(token: "t0ken") { opened.fire() } }
        #expect(await opened.isFired())
        task.cancel()
        try await task.value
    }
}
