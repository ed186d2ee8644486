import Files
import WaxwingCore

/// The file of a database, which only its owner can read. SQLite gives its mode to the files beside it.
enum DatabaseFile {
    /// Creates `path` empty with mode 0600, and missing folders with mode 0700. If the file exists, takes away the
    /// rights of others.
    static func create(_ path: String) throws(StoreError) {
        let status: FileStatus?
        do throws(FileError) {
            try FileSystem.makeFolders(FileSystem.folder(of: path))
            if try FileSystem.makeFile(path) { return }
            status = try FileSystem.status(of: path)
        } catch {
            throw StoreError(error)
        }
        guard let status else { throw StoreError(FileError(path, .noSuchFileOrDirectory)) }
        guard status.isRegular else { throw StoreError(.notPermitted, "\(path) is not a file") }
        guard status.permissions & 0o077 != 0 else { return }
        for file in [path, path + "-wal", path + "-shm"] {
            do throws(FileError) {
                try FileSystem.setPermissions(status.permissions & 0o700, of: file)
            } catch  where error.code == .noSuchFileOrDirectory || error.code == .notPermitted {
                // Another owner's file stays unchanged: opening it will show whether it can be used at all.
            } catch {
                throw StoreError(error)
            }
        }
    }

    /// - Throws: `failed` if there is no such file.
    static func require(_ path: String) throws(StoreError) {
        do throws(FileError) {
            if try FileSystem.status(of: path) == nil { throw FileError(path, .noSuchFileOrDirectory) }
        } catch {
            throw StoreError(error)
        }
    }

    /// In bytes; 0 if there is no such file, or it cannot be looked at.
    static func size(_ path: String) -> Int {
        // The one who opens it learns why.
        ((try? FileSystem.status(of: path)) ?? nil).map { Int($0.size) } ?? 0
    }
}
