import ConclaveProtocol
import Foundation
import HTTPTransport
import SwiftProtobuf
import Testing
import WaxwingCore

@Suite struct EventFeedTests {
    private static let group = ID([UInt8](repeating: 9, count: 16))!

    private func frame(_ sequence: UInt64) throws -> String {
        let event = WireServerEvent.with {
            $0.newMessage = .with {
                $0.groupID = Data(Self.group.bytes)
                $0.senderID = Data(Self.group.bytes)
                $0.sequenceNum = sequence
            }
        }
        return hexEncode(try event.serializedBytes() as [UInt8])
    }

    private func hint(_ sequence: UInt64) -> FeedEvent {
        .event(.newMessage(group: Self.group, sequence: sequence, sender: Self.group))
    }

    private func transport(
        _ server: ScriptedServer, _ change: (inout HTTPTransport.Options) -> Void = { _ in }
    ) throws -> HTTPTransport {
        var options = HTTPTransport.Options(server: server.url)
        options.proxy = ""
        change(&options)
        return try HTTPTransport(options)
    }

    /// Everything a feed says, and the error it ends with.
    private func all(_ feed: AsyncThrowingStream<FeedEvent, any Error>) async -> ([FeedEvent], TransportError?) {
        var events: [FeedEvent] = []
        do {
            for try await event in feed { events.append(event) }
            return (events, nil)
        } catch {
            return (events, error as? TransportError)
        }
    }

    @Test func eventsAreHeardInOrderAndBadOnesLeftOut() async throws {
        let (first, second) = (try frame(1), try frame(2))
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            connection.write(": hello\n\ndata: \(first)\n\ndata: zzzz\n\ndata: ff\n\ndata:\n\n")
            connection.write("event: lagged\ndata: 12\n\nevent: news\ndata: x\n\ndata: \(second)\n\n")
            // Half of an event is none.
            connection.write("data: \(first)\n")
            connection.finishWriting()
        })
        let (events, error) = await all(try transport(server).events(token: "t0ken"))
        #expect(events == [.opened, hint(1), .lagged, hint(2)])
        #expect(error?.cause == .connectionLost)
        #expect(server.requests[0].line == "GET /api/v1/events HTTP/1.1")
        #expect(server.requests[0].headers["accept"] == "text/event-stream")
        #expect(server.requests[0].headers["authorization"] == "Bearer t0ken")
        #expect(server.requests[0].headers["last-event-id"] == nil)
    }

    @Test func theNextFeedGoesOnAfterTheLastEventThatWasRead() async throws {
        let frames = [try frame(1), try frame(2)]
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            connection.write("id: 41\ndata: \(frames[0])\n\nid: 42\ndata: \(frames[1])\n\n")
            connection.waitForEnd()
        })
        let transport = try transport(server)
        for _ in 0..<2 {
            var iterator = transport.events(token: "t0ken").makeAsyncIterator()
            #expect(try await iterator.next() == .opened)
            #expect(try await iterator.next() == hint(1))
        }
        // Another session does not go on where this one was.
        var iterator = transport.events(token: "other").makeAsyncIterator()
        #expect(try await iterator.next() == .opened)
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
        let (events, error) = await all(try transport(server).events(token: "t0ken"))
        #expect(events.isEmpty)
        #expect(error?.cause == .badAnswer)
        #expect(error?.reason.contains(words) == true, "\(String(describing: error))")
    }

    @Test func anUnreachableServerEndsTheFeed() async throws {
        var options = HTTPTransport.Options(server: "http://127.0.0.1:\(try ScriptedServer.unusedPort())")
        options.proxy = ""
        let (events, error) = await all(try HTTPTransport(options).events(token: "t0ken"))
        #expect(events.isEmpty)
        #expect(error?.outcome == .notSent && error?.cause == .unreachable)
    }

    @Test func silenceBreaksAFeedAndCommentsKeepItAlive() async throws {
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
        let (events, error) = await all(transport.events(token: "t0ken"))
        #expect(events == [.opened, .lagged])
        #expect(error?.cause == .timeout)
    }

    @Test func aReaderThatStopsClosesTheConnection() async throws {
        for way in 0..<2 {
            let closed = Signal()
            let server = try ScriptedServer { connection, _ in
                _ = connection.readRequest()
                connection.beginFeed()
                connection.waitForEnd()
                closed.fire()
            }
            let transport = try transport(server)
            if way == 0 {
                // It lets go of the feed.
                for try await event in transport.events(token: "t0ken") {
                    #expect(event == .opened)
                    break
                }
            } else {
                // Its task is cancelled while it waits.
                let opened = Signal()
                let task = Task {
                    for try await _ in transport.events(token: "t0ken") { opened.fire() }
                }
                #expect(await opened.isFired())
                task.cancel()
                try await task.value
            }
            #expect(await closed.isFired())
            _ = transport
        }
    }

    @Test func aSlowReaderIsToldThatItLagged() async throws {
        let frames = try (1...100 as ClosedRange<UInt64>).map { try frame($0) }
        let written = Signal()
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            for frame in frames { connection.write("data: \(frame)\n\n") }
            written.fire()
            connection.finishWriting()
        })
        let transport = try transport(server) { $0.feedBufferLength = 10 }
        let feed = transport.events(token: "t0ken")
        #expect(await written.isFired())
        // All bytes are on their way; the end of the stream is the last thing to come.
        try await Task.sleep(for: .milliseconds(300))
        let (events, error) = await all(feed)
        #expect(events.first == .opened)
        #expect(events.contains(.lagged))
        #expect(events.count <= 10)
        #expect(events.last == hint(100) || events.last == .lagged)
        #expect(error?.cause == .connectionLost)
    }

    @Test func aFeedOutlivesTheOneWhoOpenedIt() async throws {
        let (go, text) = (Signal(), try frame(1))
        let server = try ScriptedServer(answering: { _, connection in
            connection.beginFeed()
            go.wait()
            connection.write("data: \(text)\n\n")
            connection.waitForEnd()
        })
        var iterator = try transport(server).events(token: "t0ken").makeAsyncIterator()
        #expect(try await iterator.next() == .opened)
        go.fire()
        #expect(try await iterator.next() == hint(1))
    }

    @Test func requestsGoThroughWhileAFeedIsOpen() async throws {
        let server = try ScriptedServer(answering: { request, connection in
            if request.line.hasPrefix("GET /api/v1/events") {
                connection.beginFeed()
                connection.waitForEnd()
            } else {
                connection.answer(request.body)
            }
        })
        let transport = try transport(server) { $0.connectionsMax = 2 }
        var iterator = transport.events(token: "t0ken").makeAsyncIterator()
        #expect(try await iterator.next() == .opened)
        for number in 0..<10 as Range<UInt8> {
            #expect(try await transport.send(APIRequest(.post, "/x", body: [number])).body == [number])
        }
    }
}
