import Dispatch
import Synchronization

/// Does one piece of work after the other, beside the thread that hands it over. The first error ends it, and is thrown
/// by the next call.
final class Worker: Sendable {
    private let queue: DispatchQueue
    private let room: DispatchSemaphore
    private let error = Mutex<ArchiveError?>(nil)

    /// - Parameter backlog: how many pieces may wait or be in progress; handing over one more waits.
    init(_ name: String, backlog: Int) {
        queue = DispatchQueue(label: name)
        room = DispatchSemaphore(value: backlog)
    }

    func run(_ work: @escaping @Sendable () throws(ArchiveError) -> Void) throws(ArchiveError) {
        try check()
        room.wait()
        queue.async { [self] in
            defer { room.signal() }
            if error.withLock({ $0 != nil }) { return }
            do throws(ArchiveError) { try work() } catch { self.error.withLock { $0 = error } }
        }
    }

    /// Waits until all is done.
    func finish() throws(ArchiveError) {
        queue.sync {}
        try check()
    }

    /// Drops what waits, and waits for what is in progress.
    func stop() {
        error.withLock { $0 = $0 ?? ArchiveError(.failed, "it was stopped") }
        queue.sync {}
    }

    private func check() throws(ArchiveError) {
        if let error = error.withLock({ $0 }) { throw error }
    }
}
