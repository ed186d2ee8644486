import Dispatch

/// Runs a client's work on a dispatch queue. The work waits for the disk, and must not block one of the few threads
/// that all tasks of a program share.
package final class DiskExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "waxwing.disk", qos: .userInitiated)

    package init() {}

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }
}
