import Foundation

@testable import MLSPeer

/// A front end of the line protocol as a process of its own, spoken to over pipes.
final class PeerProcess {
    private let process = Process()
    private let input: FileHandle
    private var answers: LineReader

    /// Our own `mls-peer`, which the build puts beside the tests.
    static var own: String {
        get throws {
            let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("mls-peer").path
        }
    }

    init(_ executable: String, _ arguments: [String] = []) throws {
        let (requests, replies) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: executable)
        process.arguments = arguments
        process.standardInput = requests
        process.standardOutput = replies
        // A process that traps must end, and not wait for the backtracer's questions.
        process.environment = ProcessInfo.processInfo.environment.merging(["SWIFT_BACKTRACE": "enable=no"]) { $1 }
        input = requests.fileHandleForWriting
        let output = replies.fileHandleForReading
        answers = LineReader(lengthMax: 1 << 30) { Array(output.availableData) }
        try process.run()
    }

    deinit {
        if process.isRunning { process.terminate() }
    }

    func answer(_ line: String) throws -> String {
        try send(Array(line.utf8) + [UInt8(ascii: "\n")])
        return try nextAnswer()
    }

    func send(_ bytes: [UInt8]) throws { try input.write(contentsOf: Data(bytes)) }

    func nextAnswer() throws -> String {
        guard case .text(let answer)? = try answers.next() else { throw PeerError("the process has ended") }
        return String(decoding: answer, as: UTF8.self)
    }

    func closeInput() throws { try input.close() }

    /// What it still has to say, and how it ended; a signal's number is negative.
    func end() throws -> (rest: [String], status: Int32) {
        var rest: [String] = []
        while case .text(let answer)? = try answers.next() { rest.append(String(decoding: answer, as: UTF8.self)) }
        process.waitUntilExit()
        return (rest, process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus)
    }
}
