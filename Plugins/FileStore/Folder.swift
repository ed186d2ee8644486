import Files
import WaxwingCore

/// The folder of a store, and all system calls on it.
///
/// Names are relative to the opened folder, so moving the folder does not lead writes elsewhere. Links are not
/// followed.
final class Folder: Sendable {
    private let folder: File
    /// What writers lock; nil if the folder is only read.
    private let lock: File?

    var path: String { folder.path }

    /// Opens the folder, which is created with mode 0700 if there is none, and the file that writers lock.
    ///
    /// - Parameter mustExist: whether not to create a folder.
    init(path: String, mustExist: Bool) throws(StoreError) {
        do throws(FileError) {
            if !mustExist { try FileSystem.makeFolders(path, isDurable: true) }
            folder = try File(path, .readOnly, .directory)
            lock = try File(Name.lock, .readWrite, [.create, .noFollow], in: folder)
        } catch {
            throw StoreError(error)
        }
    }

    /// Opens the folder for reading.
    init(reading path: String) throws(StoreError) {
        do throws(FileError) {
            folder = try File(path, .readOnly, .directory)
        } catch {
            throw StoreError(error)
        }
        lock = nil
    }

    /// Runs `body` while no writer with another object, in this process or another one, is at work.
    ///
    /// - Throws: `failed` if another one has been at work for ``FileStoreLimits/lockSeconds``.
    func locked<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try takeLock()
        defer { letLockGo() }
        return try body()
    }

    func takeLock() throws(StoreError) {
        let lock = try lockFile()
        let isTaken = try storing { () throws(FileError) in try lock.lock(withinSeconds: FileStoreLimits.lockSeconds) }
        guard isTaken else { throw StoreError(.failed, "\(path) was in use by another process for too long") }
    }

    func letLockGo() { lock?.unlock() }

    /// Whether the last writer was killed before it finished, or left something that could not be removed.
    var isMarked: Bool {
        get throws(StoreError) {
            let lock = try lockFile()
            return try storing { () throws(FileError) in try lock.status().size > 0 }
        }
    }

    /// Marks in the lock's file that a writer is at work, or that it has finished. The mark outlives the process. It
    /// need not outlive the system: opening the folder checks all of it anyway.
    func mark(_ isAtWork: Bool) throws(StoreError) {
        let lock = try lockFile()
        try storing { () throws(FileError) in try lock.resize(to: isAtWork ? 1 : 0) }
    }

    private func lockFile() throws(StoreError) -> File {
        guard let lock else { throw StoreError(.notPermitted, "\(path) was opened for reading only") }
        return lock
    }

    /// Writes a new file of this name, with mode 0600. Its content is on disk on return, its name after
    /// ``syncNames()``.
    func write(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        try storing { () throws(FileError) in
            let file = try File(name, .writeOnly, [.create, .truncate, .noFollow], in: folder)
            try file.write(bytes)
            try file.sync()
        }
    }

    /// Renames the file `from` to `to`, replacing it.
    func rename(_ from: String, to: String) throws(StoreError) {
        try storing { () throws(FileError) in try FileSystem.rename(from, to: to, in: folder) }
    }

    /// Syncs what was created, renamed and removed so far to disk.
    func syncNames() throws(StoreError) { try storing { () throws(FileError) in try folder.sync() } }

    /// Removes a file, if it is there.
    func remove(_ name: String) throws(StoreError) {
        try storing { () throws(FileError) in try FileSystem.remove(name, in: folder) }
    }

    /// Opens a file for reading; nil if there is none.
    ///
    /// - Throws: also if it is not a plain file, which could block the reader.
    func open(_ name: String) throws(StoreError) -> File? {
        let file: File
        do throws(FileError) {
            file = try File(name, .readOnly, [.noFollow, .nonBlocking], in: folder)
        } catch {
            if error.code == .noSuchFileOrDirectory { return nil }
            throw StoreError(error)
        }
        // What has no status is no plain file either.
        guard let status = try? file.status(), status.isRegular else {
            throw StoreError(.corrupt, "\(path)/\(name) is not a file")
        }
        return file
    }

    /// Whether `file` is the one that has this name now.
    func isCurrent(_ file: File, _ name: String) throws(StoreError) -> Bool {
        let there = try storing { () throws(FileError) in
            try FileSystem.status(of: name, in: folder, followsLinks: false)
        }
        // If the open one has no status, it is opened again.
        guard let there, let here = try? file.status() else { return false }
        return here.isSameFile(as: there)
    }

    /// Whether there is nothing but what a first start may leave behind.
    var isNew: Bool {
        get throws(StoreError) { Set(try names()).isSubset(of: [Name.lock, Name.nextManifest]) }
    }

    /// All names in the folder, in no order.
    func names() throws(StoreError) -> [String] { try storing { () throws(FileError) in try folder.names() } }

    private func storing<Result>(_ body: () throws(FileError) -> Result) throws(StoreError) -> Result {
        do throws(FileError) { return try body() } catch { throw StoreError(error) }
    }
}

extension StoreError {
    /// The operating system's error for a file or folder.
    init(_ error: FileError) {
        if error.isFull {
            self.init(.full, "the disk of \(error.path) is full")
        } else if error.isRefusal {
            self.init(.notPermitted, "\(error.path) cannot be read or written: \(error.reason)")
        } else {
            self.init(.failed, "\(error.path): \(error.reason)")
        }
    }
}
