import Foundation

/// The programs that play the story; they are in the same folder as the demo.
struct Programs {
    let waxwing: URL
    let waxwingd: URL

    init() throws {
        let folder = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        waxwing = folder.appending(path: "waxwing")
        waxwingd = folder.appending(path: "waxwingd")
        for program in [waxwing, waxwingd] where !FileManager.default.isExecutableFile(atPath: program.path) {
            throw Trouble("\(program.path) is missing; `make demo` builds it")
        }
    }
}

/// `waxwingd`, as a process that can be ended and started again on the same data.
final class Server {
    private let program: URL
    private let stage: Stage
    private var process: Process?
    var database: URL { stage.folder.appending(path: "server/waxwing.sqlite") }

    init(_ program: URL, on stage: Stage) {
        self.program = program
        self.stage = stage
    }

    /// Starts the server on a free port.
    ///
    /// - Returns: the port, once the server takes requests.
    func start() throws -> UInt16 {
        let output = Pipe()
        let process = Process()
        process.executableURL = program
        process.arguments = [
            "--data", stage.folder.appending(path: "server").path, "--listen", "127.0.0.1:0", "--ordering", "open",
        ]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try stage.start(process)
        self.process = process
        // It prints only one line, "… listening on http://127.0.0.1:PORT".
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        guard let end = line.split(separator: ":").last, let port = UInt16(end.filter(\.isNumber)) else {
            throw Trouble("the server does not start")
        }
        return port
    }

    /// The power is cut.
    func kill() {
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        _ = stage.waitForEnd(of: process)
        self.process = nil
    }
}

/// Someone with a profile, who gives commands to `waxwing`.
struct Person: Sendable {
    let name: String
    let program: URL
    let stage: Stage

    /// Gives a command, tells it, and waits for its end.
    ///
    /// - Returns: what was printed.
    /// - Throws: ``Trouble`` if its exit code is not `status`.
    @discardableResult
    func run(_ arguments: String..., input: String = "", expecting status: Int32 = 0) throws -> String {
        let (code, output) = try finish(try start(arguments, input: input))
        Narrator.command(name, arguments, output: output)
        guard code == status else { throw Trouble("\(name)'s waxwing \(arguments[0]) ended with \(code ?? -1)") }
        return output
    }

    /// Asks for something in JSON, without telling.
    func ask<Answer: Decodable>(_ arguments: String..., each: Answer.Type) throws -> [Answer] {
        let (code, output) = try finish(try start(arguments + ["--json"]))
        guard code == 0 else { throw Trouble("\(name)'s waxwing \(arguments[0]) ended with \(code ?? -1)") }
        return try output.split(separator: "\n").map { try JSONDecoder().decode(Answer.self, from: Data($0.utf8)) }
    }

    /// A command under way.
    struct Run {
        let process: Process
        fileprivate let output: Pipe

        func kill() { Foundation.kill(process.processIdentifier, SIGKILL) }
    }

    func start(_ arguments: [String], input: String = "") throws -> Run {
        let process = Process()
        process.executableURL = program
        process.arguments = arguments + ["--profile", name]
        let home = stage.folder.appending(path: "people").path
        process.environment = ["WAXWING_HOME": home, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        let (inputPipe, outputPipe) = (Pipe(), Pipe())
        process.standardInput = inputPipe
        process.standardOutput = outputPipe
        process.standardError = outputPipe
        try stage.start(process)
        try inputPipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try inputPipe.fileHandleForWriting.close()
        return Run(process: process, output: outputPipe)
    }

    /// - Returns: the exit code, or nil if a signal ended it, and what was printed.
    func finish(_ run: Run) throws -> (code: Int32?, output: String) {
        let output = try run.output.fileHandleForReading.readToEnd() ?? Data()
        return (stage.waitForEnd(of: run.process), String(decoding: output, as: UTF8.self))
    }
}
