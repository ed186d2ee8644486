import Dispatch
import Synchronization

/// Runs password hashes on threads of their own, a limited number at once, so that the event loops never wait for one.
final class HashingQueue: Sendable {
    private let lanes: [DispatchQueue]
    private let pending: Mutex<[Int]>

    init(atOnce: Int = ServerLimits.hashesAtOnce) {
        lanes = (0..<atOnce).map { DispatchQueue(label: "waxwingd.hashing.\($0)") }
        pending = Mutex(Array(repeating: 0, count: atOnce))
    }

    /// - Throws: what `work` throws, or 503 when too many wait already.
    func run<Value: Sendable>(_ work: @escaping @Sendable () throws -> Value) async throws -> Value {
        let lane = try enter()
        return try await withCheckedThrowingContinuation { continuation in
            lanes[lane].async {
                let result = Result { try work() }
                self.pending.withLock { $0[lane] -= 1 }
                continuation.resume(with: result)
            }
        }
    }

    private func enter() throws -> Int {
        try pending.withLock { pending in
            guard pending.reduce(0, +) < ServerLimits.hashesWaiting,
                let lane = pending.indices.min(by: { pending[$0] < pending[$1] })
            else { throw APIError.busy }
            pending[lane] += 1
            return lane
        }
    }
}
