import ConclaveProtocol
import Foundation
import Synchronization

/// Hands events that are already durable to whoever reads them now, and keeps the latest for those who come back.
///
/// Events are hints: the bus lives in memory, and a reader that missed some is told so. Event ids grow by one within a
/// run of the server and are larger in each later run.
final class EventBus: Sendable {
    private struct Recent {
        var id: UInt64
        var frame: String
        var addressees: Set<ID>
    }

    private struct State {
        var lastID: UInt64
        var recent: [Recent] = []
        /// Index of the oldest entry of `recent` still kept; what is before it is dropped in bulk.
        var head = 0
        var addressees = 0
        var readers: [ID: [EventReader]] = [:]
        var isClosed = false

        mutating func keep(_ event: Recent) {
            recent.append(event)
            addressees += event.addressees.count
            while recent.count - head > 1
                && (recent.count - head > Limits.recentEvents || addressees > Limits.recentAddressees)
            {
                addressees -= recent[head].addressees.count
                recent[head].addressees = []
                head += 1
            }
            if head > Limits.recentEvents {
                recent.removeFirst(head)
                head = 0
            }
        }

        func replay(to reader: EventReader, after lastEventID: UInt64?, firstID: UInt64) {
            let kept = recent[head...]
            let oldest = kept.first?.id ?? lastID + 1
            guard let last = lastEventID, last >= firstID, last <= lastID else {
                // From an earlier run, or no id of ours: how much was missed is unknown.
                return reader.miss(1)
            }
            if last + 1 < oldest { reader.miss(oldest - last - 1) }
            for event in kept where event.id > last && event.addressees.contains(reader.user) {
                reader.offer(event.frame)
            }
        }
    }

    private let readerBuffer: Int
    private let firstID: UInt64
    private let state: Mutex<State>

    /// `boot` differs for every run of the server on one database.
    init(boot: UInt64, readerBuffer: Int) {
        self.readerBuffer = readerBuffer
        firstID = boot << 32
        state = Mutex(State(lastID: boot << 32))
    }

    func publish(_ events: [AddressedEvent]) {
        guard !events.isEmpty else { return }
        state.withLock { state in
            for event in events {
                state.lastID += 1
                let frame = "id: \(state.lastID)\ndata: \(event.payload)\n\n"
                let recent = Recent(id: state.lastID, frame: frame, addressees: Set(event.addressees))
                for user in recent.addressees {
                    state.readers[user]?.forEach { $0.offer(frame) }
                }
                state.keep(recent)
            }
        }
    }

    /// Opens a stream of the user's events, beginning after `lastEventID` where that is still known, else now.
    func subscribe(user: ID, tokenHash: Data, lastEventID: String?) -> EventSubscription {
        let reader = EventReader(user: user, tokenHash: tokenHash, capacity: readerBuffer)
        state.withLock { state in
            guard !state.isClosed else { return reader.finish() }
            if let lastEventID { state.replay(to: reader, after: UInt64(lastEventID), firstID: firstID) }
            var streams = state.readers[user, default: []]
            if streams.count >= Limits.eventStreamsPerUser { streams.removeFirst().finish() }
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

    /// Makes every stream send a comment line, so that both ends see whether the connection lives.
    func heartbeat() {
        state.withLock { state in
            for reader in state.readers.values.joined() { reader.comment() }
        }
    }

    func end(_ owners: [EventReader.Owner]) {
        guard !owners.isEmpty else { return }
        let owners = Set(owners)
        state.withLock { state in
            for reader in state.readers.values.joined()
            where owners.contains(.user(reader.user)) || owners.contains(.session(reader.tokenHash)) {
                reader.finish()
            }
        }
    }

    /// Ends every stream, now and later.
    func close() {
        state.withLock { state in
            state.isClosed = true
            for reader in state.readers.values.joined() { reader.finish() }
        }
    }

    var readerCount: Int { state.withLock { $0.readers.values.reduce(0) { $0 + $1.count } } }
}

/// Keeps a reader on the bus for as long as somebody holds this.
final class EventSubscription: Sendable {
    let reader: EventReader
    private let bus: EventBus

    init(reader: EventReader, bus: EventBus) {
        self.reader = reader
        self.bus = bus
    }

    /// Dropping a subscription ends it too: a response that is never written leaves no reader behind.
    deinit { end() }

    func end() { bus.unsubscribe(reader) }
}
