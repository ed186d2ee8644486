import Dispatch

/// Runs a client's work on a thread of its own kind: it waits for the disk, and whoever waits for the disk must not hold one of the few threads that all
/// tasks of a program share.
final class DiskExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "waxwing.disk", qos: .userInitiated)

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
