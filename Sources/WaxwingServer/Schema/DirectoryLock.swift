import Files
import Synchronization

/// Ensures that one server at a time uses a data directory: two would not hear of each other's events.
///
/// The kernel releases the lock when the process ends, however it ends.
final class DirectoryLock: Sendable {
    private let directory: Mutex<File?>

    /// - Throws: `StartupError` with the code `.dataDirectory` if another server has the directory.
    init(_ path: String) throws {
        // Why it cannot be opened does not matter.
        guard let directory = try? File(path, .readOnly, .directory) else {
            throw StartupError(.dataDirectory, "cannot open the data directory \(path)")
        }
        // A directory that cannot be locked cannot be used either.
        guard (try? directory.tryLock(.exclusive)) == true else {
            throw StartupError(.dataDirectory, "another waxwingd uses the data directory \(path)")
        }
        self.directory = Mutex(directory)
    }

    func release() { directory.withLock { $0 = nil } }
}
