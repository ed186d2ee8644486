import Synchronization
import WaxwingCore

/// Events that were received and not read yet.
///
/// When full, it drops everything and keeps one ``FeedEvent/lagged``, which says all that the lost events would have
/// said.
final class FeedBuffer: Sendable {
    struct Entry: Sendable {
        var event: FeedEvent
        /// The id to continue after, once this was read.
        var id: String?
    }

    private typealias Waiter = CheckedContinuation<Result<Entry?, TransportError>, Never>

    private struct State {
        var entries: [Entry] = []
        var end: Result<Entry?, TransportError>?
        var waiter: Waiter?
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(2, limit) }

    /// - Parameter id: where the feed continues once all of `events` were read.
    func append(_ events: [FeedEvent], id: String?) {
        for (index, event) in events.enumerated() {
            append(Entry(event: event, id: index == events.count - 1 ? id : nil))
        }
    }

    /// Continues after `id` once everything still here was read.
    ///
    /// - Returns: false if nothing is here.
    func move(to id: String) -> Bool {
        state.withLock { state in
            guard !state.entries.isEmpty else { return false }
            state.entries[state.entries.count - 1].id = id
            return true
        }
    }

    private func append(_ entry: Entry) {
        let waiter = state.withLock { state -> Waiter? in
            guard state.end == nil else { return nil }
            if let waiter = state.waiter {
                state.waiter = nil
                return waiter
            }
            if state.entries.count < limit {
                state.entries.append(entry)
            } else {
                let opened = state.entries.prefix(1).filter { $0.event == .opened }
                state.entries = opened + [Entry(event: .lagged, id: entry.id ?? state.entries.last?.id)]
            }
            return nil
        }
        waiter?.resume(returning: .success(entry))
    }

    /// Ends the feed, after what is still to be read. With nil it ends at once and without an error.
    func finish(_ error: TransportError?) {
        let waiter = state.withLock { state -> Waiter? in
            if error == nil { state.entries = [] }
            state.end = state.end ?? (error.map { .failure($0) } ?? .success(nil))
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume(returning: error.map { .failure($0) } ?? .success(nil))
    }

    /// The next entry; nil at an end without error. Allows one reader at a time; a second one is told that the feed is
    /// over.
    func next() async -> Result<Entry?, TransportError> {
        await withCheckedContinuation { waiter in
            let ready = state.withLock { state -> Result<Entry?, TransportError>? in
                if !state.entries.isEmpty { return .success(state.entries.removeFirst()) }
                if let end = state.end { return end }
                guard state.waiter == nil else { return .success(nil) }
                state.waiter = waiter
                return nil
            }
            if let ready { waiter.resume(returning: ready) }
        }
    }
}

/// The reading end of a feed. Cancelling its task, or releasing it, ends the feed.
final class FeedReader: Sendable {
    private let buffer: FeedBuffer
    private let onDelivery: @Sendable (_ id: String) -> Void
    private let onEnd: @Sendable () -> Void

    init(
        _ buffer: FeedBuffer, onDelivery: @escaping @Sendable (_ id: String) -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) {
        self.buffer = buffer
        self.onDelivery = onDelivery
        self.onEnd = onEnd
    }

    deinit { onEnd() }

    func next() async throws -> FeedEvent? {
        let result = await withTaskCancellationHandler {
            await buffer.next()
        } onCancel: {
            buffer.finish(nil)
            onEnd()
        }
        guard let entry = try result.get() else { return nil }
        if let id = entry.id { onDelivery(id) }
        return entry.event
    }
}
