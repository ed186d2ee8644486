import Foundation

/// A call of a program that changes the disk, and fails because the disk is full.
struct DiskFault: Sendable, CustomStringConvertible {
    /// Counted from 1.
    var call: Int
    /// Whether the disk stays full; otherwise there is room again for the next call.
    var lasts: Bool

    var description: String { "full at call \(call)\(lasts ? " and from then on" : "")" }

    /// The environment of a program that has this fault below a folder.
    func environment(below folder: String) -> [String: String] {
        var environment = Self.environment(below: folder, at: call)
        if lasts { environment["WAXWING_FAULTS_LASTS"] = "1" }
        return environment
    }

    /// The faults to try: a few, different ones each time; all of them if `WAXWING_DISK_FAULTS` is `all`.
    ///
    /// - Parameter run: runs the program to its end, with an environment that counts its calls.
    static func chosen(below folder: String, few: Int = 3, _ run: ([String: String]) async throws -> Void) async throws
        -> [DiskFault]
    {
        let report = folder + ".calls"
        try await run(environment(below: folder, at: 0).merging(["WAXWING_FAULTS_REPORT": report]) { $1 })
        guard let count = Int(try String(contentsOfFile: report, encoding: .utf8)), count > 0 else {
            throw ChildProcess.Failure(description: "no call was seen below \(folder)")
        }
        if ProcessInfo.processInfo.environment["WAXWING_DISK_FAULTS"] == "all" {
            return (1...count).flatMap { call in [false, true].map { DiskFault(call: call, lasts: $0) } }
        }
        return (0..<few).map { part in
            DiskFault(
                call: Int.random(in: count * part / few..<max(1, count * (part + 1) / few)) + 1, lasts: Bool.random())
        }
    }

    private static func environment(below folder: String, at call: Int) -> [String: String] {
        ["LD_PRELOAD": Programs.diskFaults, "WAXWING_FAULTS_IN": folder, "WAXWING_FAULTS_AT": "\(call)"]
    }
}
