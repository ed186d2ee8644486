import ConclaveProtocol
import Foundation
import Synchronization

/// The answer to a poll.
struct PollBatch: Sendable {
    /// Serialized `ServerEvent`s, oldest first.
    var events: [Data] = []
    /// The id of the last event that was looked at, whoever it was for.
    var cursor: UInt64
    /// The minimum number of lost events.
    var missed: UInt64 = 0

    var isEmpty: Bool { events.isEmpty && missed == 0 }

    func answer() throws -> Answer {
        try Answer(
            WirePollEventsResponse.with {
                $0.events = events
                $0.nextCursor = "\(cursor)"
                $0.missed = missed
            })
    }
}

/// A poll that waits for its first event.
final class EventPoll: Sendable {
    enum Ending: Hashable, Sendable {
        case news, timeIsUp, sessionOver, stopping
        /// The user has since opened so many polls that this one had to end.
        case tooMany
    }

    let user: ID
    let tokenHash: Data

    private let wake: AsyncStream<Void>
    private let signal: AsyncStream<Void>.Continuation
    private let ending = Mutex<Ending?>(nil)

    init(user: ID, tokenHash: Data) {
        self.user = user
        self.tokenHash = tokenHash
        (wake, signal) = AsyncStream.makeStream()
    }

    /// Only the first result counts.
    func end(_ how: Ending) {
        ending.withLock { $0 = $0 ?? how }
        signal.finish()
    }

    /// Waits for at most this long; also returns if the task is cancelled.
    func wait(seconds: Int) async -> Ending {
        let timer = Task {
            try await Task.sleep(for: .seconds(seconds))
            end(.timeIsUp)
        }
        defer { timer.cancel() }
        for await _ in wake {}
        return ending.withLock { $0 } ?? .stopping
    }
}
