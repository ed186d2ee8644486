import ConclaveProtocol
import Foundation
import Synchronization

/// Passes events that are already durable to those who read or wait now, and keeps the latest for those who come back.
///
/// Events are hints: the bus lives in memory, and a reader that missed some is told so.
final class EventBus: Sendable {
    private struct State {
        var recent: RecentEvents
        var readers: [ID: [EventReader]] = [:]
        var polls: [ID: [EventPoll]] = [:]
        var isClosed = false
    }

    private let readerBuffer: Int
    private let state: Mutex<State>

    /// `boot` differs for every run of the server on one database.
    init(boot: UInt64, readerBuffer: Int) {
        self.readerBuffer = readerBuffer
        state = Mutex(State(recent: RecentEvents(boot: boot)))
    }

    func publish(_ events: [AddressedEvent]) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            for event in events {
                let entry = state.recent.append(event)
                for user in entry.addressees {
                    state.readers[user]?.forEach { $0.offer(entry.frame) }
                    state.polls[user]?.forEach { $0.end(.news) }
                }
            }
        }
    }

    /// Makes every stream send a comment line, so that both ends see whether the connection is alive.
    func heartbeat() {
        state.withLock { state in
            for reader in state.readers.values.joined() { reader.comment() }
        }
    }

    /// Ends the streams and polls of sessions that are over.
    func end(_ owners: [EventReader.Owner]) {
        guard !owners.isEmpty else { return }
        let owners = Set(owners)
        state.withLock { state in
            for reader in state.readers.values.joined()
            where owners.contains(.user(reader.user)) || owners.contains(.session(reader.tokenHash)) {
                reader.finish()
            }
            for poll in state.polls.values.joined()
            where owners.contains(.user(poll.user)) || owners.contains(.session(poll.tokenHash)) {
                poll.end(.sessionOver)
            }
        }
    }

    /// Ends every stream and every poll, now and later.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for reader in state.readers.values.joined() { reader.finish() }
            for poll in state.polls.values.joined() { poll.end(.stopping) }
        }
    }

    // MARK: Streams

    /// Opens a stream of the user's events, beginning after `lastEventID` if that is still known, else now.
    func subscribe(user: ID, tokenHash: Data, lastEventID: String?) -> EventSubscription {
        let reader = EventReader(user: user, tokenHash: tokenHash, capacity: readerBuffer)
        state.withLock { state in
            guard !state.isClosed else { return reader.finish() }
            if let lastEventID {
                let news = state.recent.news(for: user, after: lastEventID)
                if news.missed > 0 { reader.miss(news.missed) }
                for entry in news.entries { reader.offer(entry.frame) }
            }
            var streams = state.readers[user, default: []]
            if streams.count >= ServerLimits.eventStreamsPerUser { streams.removeFirst().finish() }
            streams.append(reader)
            state.readers[user] = streams
        }
        return EventSubscription(reader: reader, bus: self)
    }

    func unsubscribe(_ reader: EventReader) {
        reader.finish()
        state.withLock { state in
            state.readers[reader.user]?.removeAll { $0 === reader }
            if state.readers[reader.user]?.isEmpty == true { state.readers[reader.user] = nil }
        }
    }

    var readerCount: Int { state.withLock { $0.readers.values.reduce(0) { $0 + $1.count } } }

    // MARK: Polls

    /// The events for a user after `cursor`, without waiting. Without a cursor there are none: it begins now.
    func batch(for user: ID, after cursor: String?) -> PollBatch {
        state.withLock { Self.batch(for: user, after: cursor, in: $0.recent) }
    }

    /// The batch, if there is something in it; else a poll that ends when there may be.
    ///
    /// Beyond ``ServerLimits/eventPollsPerUser`` the user's oldest poll ends. Pass every poll to ``forget(_:)`` in the end.
    func poll(user: ID, tokenHash: Data, after cursor: String) -> PollStart {
        state.withLock { state in
            let batch = Self.batch(for: user, after: cursor, in: state.recent)
            guard batch.isEmpty, !state.isClosed else { return .ready(batch) }
            let poll = EventPoll(user: user, tokenHash: tokenHash)
            var polls = state.polls[user, default: []]
            if polls.count >= ServerLimits.eventPollsPerUser { polls.removeFirst().end(.tooMany) }
            polls.append(poll)
            state.polls[user] = polls
            return .waiting(poll)
        }
    }

    enum PollStart {
        case ready(PollBatch)
        case waiting(EventPoll)
    }

    func forget(_ poll: EventPoll) {
        state.withLock { state in
            state.polls[poll.user]?.removeAll { $0 === poll }
            if state.polls[poll.user]?.isEmpty == true { state.polls[poll.user] = nil }
        }
    }

    var pollCount: Int { state.withLock { $0.polls.values.reduce(0) { $0 + $1.count } } }

    private static func batch(for user: ID, after cursor: String?, in recent: RecentEvents) -> PollBatch {
        guard let cursor else { return PollBatch(cursor: recent.lastID) }
        let news = recent.news(for: user, after: cursor, limit: ServerLimits.eventsPerPoll)
        // A full batch may leave events behind; any other one has looked at everything.
        let isFull = news.entries.count == ServerLimits.eventsPerPoll
        return PollBatch(
            events: news.entries.map(\.bytes), cursor: isFull ? news.entries.last?.id ?? recent.lastID : recent.lastID,
            missed: news.missed)
    }
}

/// Keeps a reader on the bus for as long as someone holds this.
final class EventSubscription: Sendable {
    let reader: EventReader
    private let bus: EventBus

    init(reader: EventReader, bus: EventBus) {
        self.reader = reader
        self.bus = bus
    }

    /// Dropping a subscription ends it, too: a response that is never written leaves no reader behind.
    deinit { end() }

    func end() { bus.unsubscribe(reader) }
}
