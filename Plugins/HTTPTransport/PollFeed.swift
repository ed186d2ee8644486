import ConclaveProtocol
import WaxwingCore

/// An event feed by long-polling; if the server does not support it, by fetching everything at intervals.
///
/// A poll that fails ends the feed, as a stream that breaks does.
struct PollFeed: Sendable {
    /// How the server is polled.
    enum Way: Hashable, Sendable {
        case longPolling, intervals

        var words: String {
            switch self {
            case .longPolling: "asking for them by long-polling"
            case .intervals: "looking for news at intervals"
            }
        }
    }

    private enum Answer {
        case batch(EventBatch)
        case noSuchEndpoint
    }

    let requests: Requests
    let memory: FeedMemory
    let traffic: TrafficWatch
    let token: SessionToken
    let buffer: FeedBuffer
    /// The reader was told already that the feed is open. What happened since may be lost.
    var isOpened = false

    /// Fills the buffer until the feed breaks.
    ///
    /// - Parameter onAnswer: called once, with the first answer.
    /// - Returns: why it ended.
    func run(onAnswer: (Way) -> Void = { _ in }) async -> TransportError {
        do throws(TransportError) {
            let place = isOpened ? nil : memory.place(of: token)
            // Do not wait here: this only asks whether the server is there, and what it has.
            switch try await ask(after: place, wait: .zero) {
            case .batch(let batch):
                onAnswer(.longPolling)
                deliver(batch, first: isOpened ? .lagged : .opened)
                try await poll(after: batch.cursor)
            case .noSuchEndpoint:
                onAnswer(.intervals)
                buffer.append([isOpened ? .lagged : .opened], id: nil)
                try await lookAtIntervals()
            }
        } catch {
            return error
        }
    }

    private func poll(after first: String) async throws(TransportError) -> Never {
        var cursor = first
        let wait = requests.options.pollWait
        while true {
            let asked = ContinuousClock.now
            guard case .batch(let batch) = try await ask(after: cursor, wait: wait) else {
                throw TransportError(.unknown, .badAnswer, "the server does not answer polls any more")
            }
            cursor = batch.cursor
            deliver(batch, first: nil)
            // A server that is stopping, or something on the way, may answer without waiting.
            if batch.hints.isEmpty, ContinuousClock.now - asked < wait / 2 {
                try await sleep(requests.options.pollPause)
            }
        }
    }

    /// A feed gives only hints: without events, each one is to fetch everything.
    private func lookAtIntervals() async throws(TransportError) -> Never {
        let watch = traffic
        watch.begin()
        defer { watch.end() }
        while true {
            await watch.pause()
            guard !Task.isCancelled else { throw .cancelled(.unknown) }
            buffer.append([.lagged], id: nil)
        }
    }

    private func deliver(_ batch: EventBatch, first: FeedEvent?) {
        var events = batch.hints.map { FeedEvent.event($0) }
        if batch.missed > 0, first != .lagged { events.insert(.lagged, at: 0) }
        if let first { events.insert(first, at: 0) }
        // With nothing left to be read, the position moves at once; otherwise when the reader gets there.
        if events.isEmpty, !buffer.move(to: batch.cursor) { memory.move(to: batch.cursor, of: token) }
        buffer.append(events, id: batch.cursor)
    }

    private func ask(after cursor: String?, wait: Duration) async throws(TransportError) -> Answer {
        let call = Endpoint.pollEvents(after: cursor, wait: wait.milliseconds / 1000, token: token)
        var plan = try requests.plan(call.request)
        plan.becomePoll(timeout: wait + requests.options.pollSlack)
        let response = try await requests.answer(to: plan)
        do throws(ProtocolError) {
            return .batch(try call.decode(response))
        } catch {
            switch error.kind {
            case .plain(404), .plain(405), .refused(404, _, _): return .noSuchEndpoint
            case .plain, .refused:
                throw TransportError(
                    .unknown, .badAnswer, HintStream.explain(response.status), head: response.head)
            case .notOurServer, .malformed:
                throw TransportError(.unknown, .badAnswer, error.reason, head: response.head)
            }
        }
    }

    private func sleep(_ duration: Duration) async throws(TransportError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw .cancelled(.unknown)
        }
    }
}
