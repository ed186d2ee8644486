import ConclaveProtocol
import Foundation
import HTTPTransport
import SwiftProtobuf
import Synchronization
import TransportConformance
import WaxwingCore

/// What feed tests say and hear.
enum Heard {
    static let group = ID([UInt8](repeating: 9, count: 16))!

    /// A serialized event.
    static func event(_ sequence: UInt64) throws -> [UInt8] {
        try WireServerEvent.with {
            $0.newMessage = .with {
                $0.groupID = Data(group.bytes)
                $0.senderID = Data(group.bytes)
                $0.sequenceNum = sequence
            }
        }.serializedBytes()
    }

    /// The same on an event stream.
    static func frame(_ sequence: UInt64) throws -> String { hexEncode(try event(sequence)) }

    static func hint(_ sequence: UInt64) -> FeedEvent {
        .event(.newMessage(group: group, sequence: sequence, sender: group))
    }

    /// The body of an answer to a poll.
    static func batch(_ sequences: [UInt64], next: String, missed: UInt64 = 0) throws -> [UInt8] {
        try WirePollEventsResponse.with {
            $0.events = try sequences.map { Data(try event($0)) }
            $0.nextCursor = next
            $0.missed = missed
        }.serializedBytes()
    }

    /// Everything a feed says, and the error with which it ends.
    static func all(_ feed: AsyncThrowingStream<FeedEvent, any Error>) async -> ([FeedEvent], TransportError?) {
        var events: [FeedEvent] = []
        do {
            for try await event in feed { events.append(event) }
            return (events, nil)
        } catch {
            return (events, error as? TransportError)
        }
    }

    /// The first of what a feed says; then the feed is let go.
    static func first(
        _ count: Int, _ feed: AsyncThrowingStream<FeedEvent, any Error>
    ) async throws -> [FeedEvent] {
        var events: [FeedEvent] = []
        for try await event in feed {
            events.append(event)
            if events.count == count { break }
        }
        return events
    }
}

extension HTTPTransport {
    /// A transport without a proxy that does not wait long for anything.
    static func toTest(
        _ url: String, _ feed: FeedKind, _ change: (inout Options) -> Void = { _ in }
    ) throws -> HTTPTransport {
        var options = Options(server: url)
        options.proxy = ""
        options.feed = feed
        options.pollWait = .seconds(2)
        options.pollPause = .milliseconds(1)
        options.intervalMin = .milliseconds(1)
        options.intervalMax = .milliseconds(8)
        options.intervalPerRequest = .zero
        change(&options)
        return try HTTPTransport(options)
    }
}

extension ScriptedServer.Request {
    var isStream: Bool { line == "GET /api/v1/events HTTP/1.1" }
    var isPoll: Bool { line.hasPrefix("GET /api/v1/events/poll?") }

    /// The part of the request line after the question mark.
    var query: Substring { line.drop { $0 != "?" }.dropFirst().prefix { $0 != " " } }
}

/// What a transport said to people.
final class Sayings: Sendable {
    private let said = Mutex<[String]>([])

    var all: [String] { said.withLock { $0 } }
    var note: @Sendable (String) -> Void { { words in self.said.withLock { $0.append(words) } } }
}
