import Foundation

/// A clock that counts seconds.
enum Clock {
    /// Processor time of this thread: what others do on the machine does not count.
    case thread
    /// Time on the wall, for work on several threads.
    case wall
    /// Processor time of all threads of this process together.
    case process

    var now: Double {
        var time = timespec()
        clock_gettime(id, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    private var id: clockid_t {
        switch self {
        case .thread: CLOCK_THREAD_CPUTIME_ID
        case .wall: CLOCK_MONOTONIC
        case .process: CLOCK_PROCESS_CPUTIME_ID
        }
    }

    var name: String {
        switch self {
        case .thread: "thread CPU"
        case .wall: "wall"
        case .process: "CPU of the busier thread"
        }
    }

    func seconds(_ work: () throws -> Void) rethrows -> Double {
        let start = now
        try work()
        return now - start
    }

    /// The processor time of the busier of two threads, this one and a helper: the wall time on a machine whose cores
    /// are free.
    static func secondsOfBusier(_ work: () throws -> Void) rethrows -> Double {
        let start = (thread.now, process.now)
        try work()
        let own = thread.now - start.0
        return max(own, process.now - start.1 - own)
    }
}

extension [Double] {
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// Zero if there are no values.
    var median: Double {
        if isEmpty { return 0 }
        let sorted = sorted()
        return (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
    }
}
