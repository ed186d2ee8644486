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
    /// - Throws: where it cannot be started, or the stage has been cleared meanwhile.
    func start(_ process: Process) throws {
        try state.withLock { state in
            guard !state.isCleared else { throw Trouble("the demo is over") }
            try process.run()
            state.running.insert(process.processIdentifier)
        }
    }

    /// Waits for the end of a process.
    ///
    /// - Returns: its exit code; nil where a signal ended it.
    func waitForEnd(of process: Process) -> Int32? {
        process.waitUntilExit()
        state.withLock { _ = $0.running.remove(process.processIdentifier) }
        return process.terminationReason == .exit ? process.terminationStatus : nil
    }

    /// Ends what still runs and removes the folder. Nothing can be started afterwards.
    func clear() {
        let left = state.withLock { state in
            state.isCleared = true
            return state.running
        }
        for pid in left { kill(pid, SIGKILL) }
        for _ in 0..<20 {
            // A process in its last moments may still be writing there.
            do {
                try FileManager.default.removeItem(at: folder)
                return
            } catch CocoaError.fileNoSuchFile {
                return
            } catch {
                usleep(100_000)
            }
        }
        Narrator.aside("could not be removed: \(folder.path)")
    }
}

/// Why the demo cannot go on, or what it found to be wrong.
struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
