import Glibc
import WaxwingCore

/// A file that only its owner can read. SQLite gives the mode of the database to the files beside it.
enum PrivateFile {
    /// Creates `path` empty with mode 0600, and missing folders with mode 0700. If the file exists, takes away the
    /// rights of others.
    static func create(_ path: String) throws(StoreError) {
        try createFolders(above: path)
        // Use mknod rather than open: closing a descriptor would drop the locks another connection of this process has
        // on the file.
        if mknod(path, S_IFREG | 0o600, 0) == 0 { return }
        guard errno == EEXIST else { throw StoreError(systemError: errno, path: path) }
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError(systemError: errno, path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StoreError(.notPermitted, "\(path) is not a file.") }
        guard status.st_mode & 0o077 != 0 else { return }
        for file in [path, path + "-wal", path + "-shm"] {
            // Another owner's file stays unchanged: opening it will show whether it can be used at all.
            if chmod(file, status.st_mode & 0o700) != 0 && errno != ENOENT && errno != EPERM {
                throw StoreError(systemError: errno, path: file)
            }
        }
    }

    /// - Throws: `failed` if there is no such file.
    static func require(_ path: String) throws(StoreError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError(systemError: errno, path: path) }
    }

    /// In bytes; 0 if there is no such file.
    static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    private static func createFolders(above path: String) throws(StoreError) {
        guard let slash = path.lastIndex(of: "/"), slash > path.startIndex else { return }
        let folder = String(path[..<slash])
        if mkdir(folder, 0o700) == 0 { return }
        switch errno {
        case EEXIST: return
        case ENOENT:
            try createFolders(above: folder)
            guard mkdir(folder, 0o700) == 0 || errno == EEXIST else {
                throw StoreError(systemError: errno, path: folder)
            }
        case let code:
            throw StoreError(systemError: code, path: folder)
        }
    }
}
