import Foundation

/// What some work took: seconds on the clock, and seconds of processor time of this process.
struct Cost {
    let wall: Double
    let cpu: Double

    static func of(_ work: () async throws -> Void) async rethrows -> Cost {
        let start = now()
        try await work()
        let end = now()
        return Cost(wall: end.wall - start.wall, cpu: end.cpu - start.cpu)
    }

    /// Processor time of all children that have ended so far, in seconds.
    static func ofChildren() -> Double { usage(__rusage_who_t(RUSAGE_CHILDREN.rawValue)) }

    private static func now() -> Cost {
        let wall = Double(DispatchTime.now().uptimeNanoseconds) / 1e9
        return Cost(wall: wall, cpu: usage(__rusage_who_t(RUSAGE_SELF.rawValue)))
    }

    private static func usage(_ who: __rusage_who_t) -> Double {
        var usage = rusage()
        getrusage(who, &usage)
        return seconds(usage.ru_utime) + seconds(usage.ru_stime)
    }

    private static func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
