import Dispatch
import Synchronization

/// Does the same to many things, on several threads at once if that is worth it.
struct Spreading: Sendable {
    /// How many threads may work at once.
    let threads: Int

    /// Waking a thread costs more than a handful of signatures, so fewer things than this are not spread.
    private static let least = 48

    /// Calls `body` once for each number below `count`, in no order.
    func forEach(_ count: Int, _ body: @Sendable (Int) -> Void) {
        let workers = min(threads, count)
        if workers < 2 || count < Self.least {
            for index in 0..<count { body(index) }
            return
        }
        // Each thread takes the next piece as soon as it is done, because the cores are not equally free.
        let piece = max(1, min(16, count / (workers * 4)))
        let next = Atomic(0)
        DispatchQueue.concurrentPerform(iterations: workers) { _ in
            while true {
                let start = next.wrappingAdd(piece, ordering: .relaxed).oldValue
                if start >= count { return }
                for index in start..<min(start + piece, count) { body(index) }
            }
        }
    }

    /// The result of `transform` for each element, in order.
    func map<T: Sendable, R: Sendable>(_ elements: [T], _ transform: @Sendable (T) -> R) -> [R] {
        Array(unsafeUninitializedCapacity: elements.count) { buffer, initialized in
            let results = Slots(buffer: buffer)
            forEach(elements.count) { results.set($0, transform(elements[$0])) }
            initialized = elements.count
        }
    }

    /// Each slot is written once, by one thread, and read when all are done, so sharing it is safe.
    private struct Slots<R>: @unchecked Sendable {
        let buffer: UnsafeMutableBufferPointer<R>

        func set(_ index: Int, _ value: R) { buffer.initializeElement(at: index, to: value) }
    }
}
