import Foundation
import Synchronization

/// One of our programs as a process of its own, with what it wrote and what it used.
///
/// Its outputs are files, so a full pipe can never block it, and whoever watches it reads as far as it has come.
final class ChildProcess: Sendable {
    struct Exit: Hashable, Sendable {
        /// The exit code; a signal's number is negative.
        var status: Int32
        /// Processor time of the process, user and system, in seconds.
        var processTime: Double
        /// Largest resident set, in KiB; 0 if no one asked for it.
        var peakMemory = 0
    }

    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    let pid: pid_t
    let command: String
    let outputPath: String
    let errorPath: String
    private let ended = Mutex<Exit?>(nil)

    /// - Parameters:
    ///   - executable: an absolute path.
    ///   - environment: all of it; nothing is inherited.
    ///   - input: what it reads from standard input.
    ///   - terminal: a descriptor that becomes standard error in place of a file.
    ///   - folder: where its outputs go.
    init(
        _ executable: String, _ arguments: [String], environment: [String: String], input: String = "",
        terminal: Int32? = nil, folder: String
    ) throws {
        let base = folder + "/" + UUID().uuidString
        outputPath = base + ".out"
        errorPath = base + ".err"
        command = ([executable.split(separator: "/").last.map(String.init) ?? ""] + arguments).joined(separator: " ")
        let inputPath = base + ".in"
        try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, inputPath, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, outputPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let terminal {
            posix_spawn_file_actions_adddup2(&actions, terminal, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        }
        var pid: pid_t = 0
        let code = withStrings([executable] + arguments) { argv in
            withStrings(environment.map { "\($0)=\($1)" }) { envp in
                posix_spawn(&pid, executable, &actions, nil, argv, envp)
            }
        }
        guard code == 0 else { throw Failure(description: "\(executable): \(String(cString: strerror(code)))") }
        self.pid = pid
        Thread { [self] in reap() }.start()
    }

    private func reap() {
        var status: Int32 = 0
        var usage = rusage()
        while wait4(pid, &status, 0, &usage) < 0, errno == EINTR {}
        func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
        let signal = status & 0x7F
        let exit = Exit(
            status: signal == 0 ? (status >> 8) & 0xFF : -signal,
            processTime: seconds(usage.ru_utime) + seconds(usage.ru_stime))
        ended.withLock { $0 = exit }
    }

    var isRunning: Bool { ended.withLock { $0 == nil } }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Waits for the end; a process that takes too long is killed.
    ///
    /// - Throws: ``Failure`` if the time is up.
    @discardableResult
    func exit(within seconds: Double = 90, measuringMemory: Bool = false) async throws -> Exit {
        var peakMemory = 0
        let isInTime = await eventually(within: seconds, every: .milliseconds(2)) {
            if measuringMemory { peakMemory = max(peakMemory, self.peakMemory) }
            return !self.isRunning
        }
        if !isInTime {
            signal(SIGKILL)
            _ = await eventually(within: 10) { !self.isRunning }
            throw Failure(description: "`\(command)` did not end in \(seconds) s; it said: \(output)\(errors)")
        }
        var exit = ended.withLock { $0 } ?? Exit(status: -1, processTime: 0)
        exit.peakMemory = peakMemory
        return exit
    }

    /// The high-water mark so far, in KiB. (The figure of `wait4` includes the memory of the process that started this
    /// one.)
    private var peakMemory: Int {
        let line = text("/proc/\(pid)/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    }

    /// What it has written to standard output so far.
    var output: String { text(outputPath) }
    var errors: String { text(errorPath) }

    private func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}

/// Asks again and again until something is so; false if the time is up.
func eventually(
    within seconds: Double = 30, every pause: Duration = .milliseconds(20), _ isSo: () async throws -> Bool
) async rethrows -> Bool {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while try await !isSo() {
        guard ContinuousClock.now < deadline else { return false }
        try? await Task.sleep(for: pause)
    }
    return true
}

/// Passes strings as the null-terminated array of pointers that C wants.
private func withStrings<Result>(
    _ strings: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
) -> Result {
    let pointers = strings.map { strdup($0) }
    defer { for pointer in pointers { free(pointer) } }
    return body(pointers + [nil])
}
