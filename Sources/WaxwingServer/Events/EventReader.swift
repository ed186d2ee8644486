import ConclaveProtocol
import Foundation
import Synchronization

/// One open event stream: a bounded buffer between the bus and a connection of any speed.
final class EventReader: Sendable {
    /// Whose streams end when sessions end.
    enum Owner: Hashable, Sendable {
        case user(ID)
        case session(Data)
    }

    private struct State {
        var frames: [String] = []
        var missed: UInt64 = 0
        var commentIsDue = false
    }

    let user: ID
    let tokenHash: Data
    /// Yields whenever `drain` has something, and ends with the stream.
    let wake: AsyncStream<Void>

    private let signal: AsyncStream<Void>.Continuation
    private let capacity: Int
    private let state = Mutex(State())

    init(user: ID, tokenHash: Data, capacity: Int) {
        self.user = user
        self.tokenHash = tokenHash
        self.capacity = capacity
        (wake, signal) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func offer(_ frame: String) {
        state.withLock { state in
            // Once one frame was missed, later ones are too: the reader learns of the gap in the right place.
            if state.frames.count < capacity && state.missed == 0 {
                state.frames.append(frame)
            } else {
                state.missed += 1
            }
        }
        signal.yield()
    }

    func miss(_ count: UInt64) {
        state.withLock { $0.missed += count }
        signal.yield()
    }

    func comment() {
        state.withLock { $0.commentIsDue = true }
        signal.yield()
    }

    func finish() {
        signal.finish()
    }

    /// Everything that waits, as text in the event-stream format; empty if nothing does.
    func drain() -> String {
        let waiting = state.withLock { state in
            defer { state = State() }
            return state
        }
        var text = waiting.frames.joined()
        if waiting.missed > 0 { text += "event: lagged\ndata: \(waiting.missed)\n\n" }
        if waiting.commentIsDue { text += ": still here\n\n" }
        return text
    }
}
