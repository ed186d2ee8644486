import ConclaveProtocol
import Synchronization

/// How long to wait between two fetches: short while there is traffic, and twice as long each time there was none.
struct IntervalPace: Sendable {
    private let shortest: Duration
    private let longest: Duration
    /// The next interval, before jitter.
    private(set) var interval: Duration

    init(from shortest: Duration, to longest: Duration) {
        self.shortest = max(shortest, .milliseconds(1))
        self.longest = max(self.shortest, longest)
        interval = self.shortest
    }

    mutating func trafficSeen() { interval = shortest }

    /// - Parameter jitter: between 0 and 1; changes the interval by up to a quarter, so that many clients do not come
    ///   at once.
    mutating func next(jitter: Double) -> Duration {
        defer { interval = min(interval * 2, longest) }
        return interval * (0.75 + 0.5 * min(max(jitter, 0), 1))
    }
}

/// Watches passing answers for traffic, and wakes the feed that fetches at intervals.
final class TrafficWatch: Sendable {
    private struct State {
        /// Feeds that fetch at intervals.
        var feeds = 0
        var pace: IntervalPace
        /// By the path of a log: the last sequence number seen there.
        var lastSequences: [String: UInt64] = [:]
        /// Answers since the last fetch began, which approximates what it took.
        var answers = 0
        var sleeper: (until: ContinuousClock.Instant, hurry: AsyncStream<Void>.Continuation)?
    }

    private let options: HTTPOptions
    private let state: Mutex<State>

    convenience init(_ options: HTTPOptions) {
        self.init(options, pace: IntervalPace(from: options.intervalMin, to: options.intervalMax))
    }

    init(_ options: HTTPOptions, pace: IntervalPace) {
        self.options = options
        state = Mutex(State(pace: pace))
    }

    var interval: Duration { state.withLock { $0.pace.interval } }

    /// A feed needs this from now on.
    func begin() { state.withLock { $0.feeds += 1 } }

    func end() {
        state.withLock { state in
            state.feeds -= 1
            if state.feeds == 0 { state.pace.trafficSeen() }
        }
    }

    /// Looks at an answer that is passing.
    func note(_ response: APIResponse, answering request: APIRequest) {
        let isWatched = state.withLock { state in
            state.answers += 1
            return state.feeds > 0
        }
        guard isWatched else { return }
        let last = response.lastSequence(answering: request)
        let isOwn = request.method == .post && request.path.hasSuffix("/messages") && response.status == 200
        guard last != nil || isOwn else { return }
        state.withLock { state in
            if let last {
                if state.lastSequences.count > HTTPLimits.watchedLogs { state.lastSequences = [:] }
                // The same row again is not news: clients check whether the last one they know is still there.
                guard state.lastSequences.updateValue(last, forKey: request.path) != last else { return }
            }
            state.pace.trafficSeen()
            if let sleeper = state.sleeper, sleeper.until > .now + options.intervalMin { sleeper.hurry.finish() }
        }
    }

    /// Waits until it is time to fetch again, or the task is cancelled. Traffic shortens the wait; the number of
    /// requests that a fetch needs lengthens it.
    func pause() async {
        let begin = ContinuousClock.now
        state.withLock { $0.answers = 0 }
        var isHurried = true
        while isHurried, !Task.isCancelled {
            let (hurry, continuation) = AsyncStream<Void>.makeStream()
            let until = state.withLock { state in
                let until = ContinuousClock.now + state.pace.next(jitter: options.jitter())
                state.sleeper = (until, continuation)
                return until
            }
            let timer = Task {
                try await Task.sleep(until: until, clock: .continuous)
                continuation.finish()
            }
            for await _ in hurry {}
            timer.cancel()
            isHurried = ContinuousClock.now < until
        }
        // Throws only if cancelled; then it is over anyway.
        try? await Task.sleep(until: earliest(after: begin), clock: .continuous)
    }

    private func earliest(after begin: ContinuousClock.Instant) -> ContinuousClock.Instant {
        begin + options.intervalPerRequest * state.withLock { $0.answers }
    }
}
