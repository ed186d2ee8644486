import ConclaveProtocol
import Synchronization

/// Lets few requests for long lists read at once, one of a user at a time, so that readers remain for everybody else.
final class LongReads: Sendable {
    private struct State {
        var running: Set<ID> = []
        var waiting: [(user: ID, start: CheckedContinuation<Void, Never>)] = []
    }

    private let atOnce: Int
    private let state = Mutex(State())

    init(atOnce: Int = ServerLimits.longReadsAtOnce) {
        self.atOnce = atOnce
    }

    /// - Throws: what `work` throws, or 503 when too many of the user wait already.
    func run<Value: Sendable>(for user: ID, _ work: () async throws -> Value) async throws -> Value {
        let isTaken = state.withLock { state in
            state.waiting.count { $0.user == user } < ServerLimits.longReadsWaiting
        }
        guard isTaken else { throw APIError.busy }
        await withCheckedContinuation { start in
            state.withLock { $0.waiting.append((user, start)) }
            startNext()
        }
        defer {
            _ = state.withLock { $0.running.remove(user) }
            startNext()
        }
        return try await work()
    }

    private func startNext() {
        let starts = state.withLock { state in
            var starts: [CheckedContinuation<Void, Never>] = []
            while state.running.count < atOnce,
                let next = state.waiting.firstIndex(where: { !state.running.contains($0.user) })
            {
                let (user, start) = state.waiting.remove(at: next)
                state.running.insert(user)
                starts.append(start)
            }
            return starts
        }
        for start in starts { start.resume() }
    }
}
