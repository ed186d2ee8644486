import FoundationEssentials
import Glibc
import WaxwingClient

/// Putting one store in the place of another.
extension Profile {
    var useLockPath: String { folder + "/use.lock" }

    /// Keeps other processes from opening the store, until the lease is let go.
    ///
    /// - Throws: ``Failure`` `profileInUse` where one has it open.
    func closeToOthers() throws -> ConnectionLease {
        guard let lease = try ConnectionLease.take(path: useLockPath) else { throw Failure.profileIsOpen }
        return lease
    }

    /// Removes what a conversion that was cut short has left: an unfinished copy, or, beside the SQLite file, the folder that was copied from it or into it.
    func removeLeftovers() throws {
        func isThere(_ path: String) -> Bool {
            var status = stat()
            return lstat(path, &status) == 0
        }
        let drafts = StoreKind.allCases.filter { isThere(storePath($0) + ".new") }
        let isDouble = StoreKind.allCases.allSatisfy { isThere(storePath($0)) }
        guard isDouble || !drafts.isEmpty else { return }
        // Whoever has it open is not in a conversion, or is the conversion.
        guard let lease = try ConnectionLease.take(path: useLockPath) else { return }
        defer { withExtendedLifetime(lease) {} }
        for kind in drafts { try remove(kind, at: storePath(kind) + ".new") }
        if isDouble { try remove(.files, at: storePath(.files)) }
    }

    /// Puts a finished store, which nobody has open, into its place.
    func move(_ kind: StoreKind, from draft: String) throws(Failure) {
        guard rename(draft, storePath(kind)) == 0 else { throw Self.unusable(storePath(kind), errno) }
        let descriptor = Glibc.open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.unusable(folder, errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw Self.unusable(folder, errno) }
    }

    /// Removes a store with all its files; one that is not there is no error.
    func remove(_ kind: StoreKind, at path: String) throws(Failure) {
        switch kind {
        case .sqlite:
            // The log first: without its database it means nothing, the other way round it might.
            for file in [path + "-wal", path + "-shm", path] {
                guard unlink(file) == 0 || errno == ENOENT else { throw Self.unusable(file, errno) }
            }
        case .files:
            var status = stat()
            guard lstat(path, &status) == 0 else {
                if errno == ENOENT { return }
                throw Self.unusable(path, errno)
            }
            do {
                try FileManager.default.removeItem(atPath: path)
            } catch {
                throw Failure(.profileUnusable, "\(path) cannot be removed: \(error)")
            }
        }
    }
}
