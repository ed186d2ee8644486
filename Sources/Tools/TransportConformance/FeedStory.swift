import ConclaveProtocol
import Foundation
import SwiftProtobuf

/// What a server says on an event feed, as a stream or in answers to polls.
struct FeedStory: Sendable {
    enum Beat: Sendable {
        /// Serialized events, in one go.
        case events([[UInt8]])
        case gap
        /// Continues when the signal is fired.
        case hold(Signal)
        /// Says nothing more until the client leaves. The signals tell that it got this far, and that the client has
        /// left.
        case stall(arrived: Signal, left: Signal)
        /// Ends the connection. The signal tells that the client has read everything before it.
        case cut(Signal)
    }

    static let group = ID([UInt8](repeating: 9, count: 16)) ?? .nobody
    /// Of a kind that a later version of the protocol may know.
    static let unknownEvent: [UInt8] = [0x7a, 0]

    let beats: [Beat]

    init(_ beats: Beat...) { self.beats = beats }

    /// A server that tells the story to anyone who asks for events, and answers other requests with their own body.
    func server() throws -> ScriptedServer {
        try ScriptedServer(answering: { request, connection in
            let path = request.line.split(separator: " ").dropFirst().first ?? ""
            if path.hasPrefix("/api/v1/events/poll") {
                answerPoll(String(path), connection)
            } else if path == "/api/v1/events" {
                stream(connection)
            } else {
                connection.answer(request.body)
            }
        })
    }

    /// A serialized event: a message with the given sequence number.
    static func event(_ sequence: UInt64) throws -> [UInt8] {
        try WireServerEvent.with {
            $0.newMessage = .with {
                $0.groupID = Data(group.bytes)
                $0.senderID = Data(group.bytes)
                $0.sequenceNum = sequence
            }
        }.serializedBytes()
    }

    private func stream(_ connection: ScriptedServer.Connection) {
        connection.beginFeed()
        // It is there: all servers say so first.
        connection.write(": hello\n\n")
        for beat in beats {
            switch beat {
            case .events(let events):
                connection.write(events.map { "data: \(hexEncode($0))\n\n" }.joined())
            case .gap: connection.write("event: lagged\ndata: 1\n\n")
            case .hold(let signal): signal.wait()
            case .stall(let arrived, let left):
                arrived.fire()
                connection.waitForEnd()
                left.fire()
            case .cut(let read):
                connection.finishWriting()
                connection.waitForEnd()
                read.fire()
            }
        }
    }

    /// The cursor is the number of beats told so far.
    private func answerPoll(_ path: String, _ connection: ScriptedServer.Connection) {
        let items = (URLComponents(string: path)?.queryItems ?? []).map { ($0.name, $0.value ?? "") }
        let query = Dictionary(items) { first, _ in first }
        var place = query["after"].flatMap { Int($0) }
        let waits = place != nil && query["wait"] != "0"
        while let beat = place, beats.indices.contains(beat) {
            switch beats[beat] {
            case .events(let events): return answer(events, 0, beat + 1, connection)
            case .gap: return answer([], 1, beat + 1, connection)
            case .hold, .stall, .cut:
                guard waits else { return answer([], 0, beat, connection) }
            }
            switch beats[beat] {
            case .hold(let signal):
                signal.wait()
                place = beat + 1
            case .stall(let arrived, let left):
                arrived.fire()
                connection.waitForEnd()
                left.fire()
                return
            case .cut(let read):
                read.fire()
                return connection.finishWriting()
            case .events, .gap: return
            }
        }
        answer([], 0, place ?? 0, connection)
    }

    private func answer(_ events: [[UInt8]], _ missed: UInt64, _ next: Int, _ connection: ScriptedServer.Connection) {
        let answer = WirePollEventsResponse.with {
            $0.events = events.map { Data($0) }
            $0.nextCursor = "\(next)"
            $0.missed = missed
        }
        // A generated message has no required fields: writing it cannot fail.
        connection.answer((try? answer.serializedBytes()) ?? [])
    }
}
