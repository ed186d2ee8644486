import Dispatch
import Foundation
import Synchronization

/// What has to be gone when the demo ends, however it ends: the processes it started and the folder they write to.
final class Stage: Sendable {
    private struct State {
        var running: Set<pid_t> = []
        var isCleared = false
    }

    let folder: URL
    private let state = Mutex(State())

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "waxwing-demo-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    }

    /// Starts a process of the demo.
    ///
    /// - Throws: if it cannot be started, or the stage has been cleared meanwhile.
    func start(_ process: Process) throws {
        try state.withLock { state in
            guard !state.isCleared else { throw Trouble("the demo is over") }
            try process.run()
            state.running.insert(process.processIdentifier)
        }
    }

    /// Waits for the end of a process.
    ///
    /// - Returns: its exit code; nil if a signal ended it.
    func waitForEnd(of process: Process) -> Int32? {
        process.waitUntilExit()
        state.withLock { _ = $0.running.remove(process.processIdentifier) }
        return process.terminationReason == .exit ? process.terminationStatus : nil
    }

    /// Ends what still runs and removes the folder. Nothing can be started afterwards.
    func clear() {
        state.withLock { state in
            state.isCleared = true
            for pid in state.running { kill(pid, SIGKILL) }
            // A process in its last moments may still be writing there, so one try may not be enough.
            for _ in 0..<20 where FileManager.default.fileExists(atPath: folder.path) {
                do {
                    try FileManager.default.removeItem(at: folder)
                } catch {
                    usleep(100_000)
                }
            }
            if FileManager.default.fileExists(atPath: folder.path) {
                Narrator.aside("could not be removed: \(folder.path)")
            }
        }
    }

    /// From now on, Ctrl-C and the like clear the stage before they end the process, as long as the sources live.
    func clearOnInterrupt() -> [any DispatchSourceSignal] {
        [SIGINT, SIGTERM, SIGHUP].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { [self] in
                clear()
                exit(128 + number)
            }
            source.resume()
            return source
        }
    }
}

/// Why the demo cannot go on, or what it found to be wrong.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
