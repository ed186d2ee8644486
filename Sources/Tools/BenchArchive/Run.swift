import Foundation

/// A process that ended well: what it wrote, how long it took, and its peak memory.
struct Run {
    let output: String
    let seconds: Double
    /// Processor time that it and its children took, in seconds: this also holds on a machine that is busy with other
    /// things.
    let processor: Double
    /// Largest resident set, in bytes, by the system's count; read every few milliseconds.
    let peak: Int

    init(_ program: String, _ arguments: [String], in folder: String) throws {
        let process = Process()
        let output = URL(fileURLWithPath: folder + "/output")
        try Data().write(to: output)
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.environment = ["WAXWING_HOME": folder + "/profiles", "PATH": "/usr/local/bin:/usr/bin:/bin"]
        process.standardOutput = try FileHandle(forWritingTo: output)
        let before = Self.processorOfChildren
        let start = DispatchTime.now().uptimeNanoseconds
        try process.run()
        var peak = 0
        while process.isRunning {
            peak = max(peak, Self.peak(of: process.processIdentifier))
            // Reading takes time that the process would miss.
            usleep(5000)
        }
        process.waitUntilExit()
        seconds = Double(DispatchTime.now().uptimeNanoseconds - start) / 1e9
        processor = Self.processorOfChildren - before
        self.peak = peak
        guard process.terminationStatus == 0 else {
            throw Trouble("\(program) \(arguments.joined(separator: " ")) ended with \(process.terminationStatus)")
        }
        self.output = String(decoding: try Data(contentsOf: output), as: UTF8.self)
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private static var processorOfChildren: Double {
        var usage = rusage()
        getrusage(RUSAGE_CHILDREN.rawValue, &usage)
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        let microseconds = usage.ru_utime.tv_usec + usage.ru_stime.tv_usec
        return Double(seconds) + Double(microseconds) / 1e6
    }

    private static func peak(of process: Int32) -> Int {
        let status = FileManager.default.contents(atPath: "/proc/\(process)/status") ?? Data()
        let line = String(decoding: status, as: UTF8.self).split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return (line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1024
    }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
