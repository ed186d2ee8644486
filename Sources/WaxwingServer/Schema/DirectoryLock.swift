import Glibc

/// Ensures that one server at a time uses a data directory: two would not hear of each other's events.
///
/// The kernel releases the lock when the process ends, however it ends.
struct DirectoryLock: Sendable {
    private let descriptor: Int32

    /// - Throws: `StartupError` with the code `.dataDirectory` if another server has the directory.
    init(_ directory: String) throws {
        descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw StartupError(.dataDirectory, "cannot open the data directory \(directory)")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw StartupError(.dataDirectory, "another waxwingd uses the data directory \(directory)")
        }
    }

    /// Call this once.
    func release() {
        close(descriptor)
    }
}
