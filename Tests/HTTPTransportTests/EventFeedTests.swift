import ConclaveProtocol
import Foundation
import HTTPTransport
import Testing
import TransportConformance
import WaxwingCore

/// Event streams.
@Suite(.ahead) struct EventFeedTests {
    private func transport(
        _ server: ScriptedServer, _ change: (inout HTTPTransport.Options) -> Void = { _ in }
    ) throws -> HTTPTransport {
        try .toTest(server.url, .sse, change)
    }

    @Test func framesThatAreNoEventsAreLeftOut() async throws {
        let (first, second) = (try Heard.frame(1), try Heard.frame(2))
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            connection.write(": hello\n\ndata: \(first)\n\ndata: zzzz\n\ndata: ff\n\ndata:\n\n")
            connection.write("event: lagged\ndata: 12\n\nevent: news\ndata: x\n\ndata: \(second)\n\n")
            // Half an event is none.
            connection.write("data: \(first)\n")
            connection.finishWriting()
        })
        let (events, error) = await Heard.all(try transport(server).events(token: "t0ken"))
        #expect(events == [.opened, Heard.hint(1), .lagged, Heard.hint(2)])
        #expect(error?.cause == .connectionLost)
        #expect(server.requests[0].isStream)
        #expect(server.requests[0].headers["accept"] == "text/event-stream")
        #expect(server.requests[0].headers["last-event-id"] == nil)
    }

    @Test func theNextFeedGoesOnAfterTheLastEventThatWasRead() async throws {
        let frames = [try Heard.frame(1), try Heard.frame(2)]
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            connection.write("id: 41\ndata: \(frames[0])\n\nid: 42\ndata: \(frames[1])\n\n")
            connection.waitForEnd()
        })
        let transport = try transport(server)
        for _ in 0..<2 {
            #expect(try await Heard.first(2, transport.events(token: "t0ken")) == [.opened, Heard.hint(1)])
        }
        // Another session does not continue where this one was.
        #expect(try await Heard.first(1, transport.events(token: "other")) == [.opened])
        #expect(server.requests.map { $0.headers["last-event-id"] } == [nil, "41", nil])
    }

    @Test(arguments: [
        ("401 Unauthorized", "application/x-protobuf", "log in"), ("404 Not Found", "", "404"),
        ("302 Found", "text/html", "302"), ("200 OK", "text/html", "no event feed"), ("204 No Content", "", "204"),
    ])
    func whatIsNoFeedEndsWithItsReason(status: String, type: String, words: String) async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.answer([], status: status, type: type)
        })
        let (events, error) = await Heard.all(try transport(server).events(token: "t0ken"))
        #expect(events.isEmpty)
        #expect(error?.cause == .badAnswer)
        #expect(error?.reason.contains(words) == true, "\(String(describing: error))")
    }

    @Test func commentsKeepAFeedAlive() async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            // Longer in all than the silence that is allowed.
            for _ in 0..<8 {
                usleep(100_000)
                connection.write(":\n\n")
            }
            connection.write("event: lagged\ndata: 1\n\n")
            connection.waitForEnd()
        })
        let transport = try transport(server) { $0.feedSilenceTimeout = .milliseconds(500) }
        let (events, error) = await Heard.all(transport.events(token: "t0ken"))
        #expect(events == [.opened, .lagged])
        #expect(error?.cause == .timeout)
    }
}
