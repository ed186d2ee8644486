import Glibc
import WaxwingCore

/// The folder of a store, and all system calls on it.
///
/// Names are relative to the opened folder, so moving the folder does not lead writes elsewhere. Links are not
/// followed.
final class Folder: Sendable {
    let path: String
    private let descriptor: CInt
    /// Negative if the folder is only read.
    private let lock: CInt

    /// Opens the folder, which is created with mode 0700 if there is none, and the file that writers lock.
    ///
    /// - Parameter mustExist: whether not to create a folder.
    init(path: String, mustExist: Bool) throws(StoreError) {
        self.path = path
        if !mustExist { try Self.create(path) }
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(systemError: errno, path: path) }
        lock = openat(descriptor, Name.lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard lock >= 0 else {
            let code = errno
            Glibc.close(descriptor)
            throw StoreError(systemError: code, path: "\(path)/\(Name.lock)")
        }
    }

    /// Opens the folder for reading.
    init(reading path: String) throws(StoreError) {
        self.path = path
        descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(systemError: errno, path: path) }
        lock = -1
    }

    deinit {
        if lock >= 0 { Glibc.close(lock) }
        Glibc.close(descriptor)
    }

    /// Runs `body` while no writer with another object, in this process or another one, is at work.
    ///
    /// - Throws: `failed` if another one has been at work for ``FileStore/Limits/lockSeconds``.
    func locked<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        try takeLock()
        defer { letLockGo() }
        return try body()
    }

    func takeLock() throws(StoreError) {
        let pauseMicroseconds: UInt32 = 2000
        var left = Int(FileStore.Limits.lockSeconds * 1_000_000) / Int(pauseMicroseconds)
        while flock(lock, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else { throw failure(errno, Name.lock) }
            guard left > 0 else { throw StoreError(.failed, "\(path) was in use by another process for too long.") }
            left -= 1
            usleep(pauseMicroseconds)
        }
    }

    func letLockGo() { flock(lock, LOCK_UN) }

    /// Whether the last writer was killed before it finished, or left something that could not be removed.
    var isMarked: Bool {
        get throws(StoreError) {
            var status = stat()
            guard fstat(lock, &status) == 0 else { throw failure(errno, Name.lock) }
            return status.st_size > 0
        }
    }

    /// Marks in the lock's file that a writer is at work, or that it has finished. The mark outlives the process. It
    /// need not outlive the system: opening the folder checks all of it anyway.
    func mark(_ isAtWork: Bool) throws(StoreError) {
        guard ftruncate(lock, isAtWork ? 1 : 0) == 0 else { throw failure(errno, Name.lock) }
    }

    /// Writes a new file of this name, with mode 0600. Its content is on disk on return, its name after
    /// ``syncNames()``.
    func write(_ name: String, _ bytes: [UInt8]) throws(StoreError) {
        let file = openat(descriptor, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard file >= 0 else { throw failure(errno, name) }
        defer { Glibc.close(file) }
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw failure(errno, name) }
            written += count
        }
        guard fsync(file) == 0 else { throw failure(errno, name) }
    }

    /// Renames the file `from` to `to`, replacing it.
    func rename(_ from: String, to: String) throws(StoreError) {
        guard renameat(descriptor, from, descriptor, to) == 0 else { throw failure(errno, to) }
    }

    /// Syncs what was created, renamed and removed so far to disk.
    func syncNames() throws(StoreError) {
        guard fsync(descriptor) == 0 else { throw failure(errno, "") }
    }

    /// Removes a file, if it is there.
    func remove(_ name: String) throws(StoreError) {
        guard unlinkat(descriptor, name, 0) == 0 || errno == ENOENT else { throw failure(errno, name) }
    }

    /// Opens a file for reading; nil if there is none.
    ///
    /// - Throws: also if it is not a plain file, which could block the reader.
    func open(_ name: String) throws(StoreError) -> OpenFile? {
        let file = openat(descriptor, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT { return nil }
            throw failure(errno, name)
        }
        let opened = OpenFile(descriptor: file)
        guard let status = opened.status, status.st_mode & S_IFMT == S_IFREG else {
            throw StoreError(.corrupt, "\(path)/\(name) is not a file.")
        }
        return opened
    }

    /// Whether `file` is the one that has this name now.
    func isCurrent(_ file: OpenFile, _ name: String) throws(StoreError) -> Bool {
        var there = stat()
        guard fstatat(descriptor, name, &there, AT_SYMLINK_NOFOLLOW) == 0 else {
            if errno == ENOENT { return false }
            throw failure(errno, name)
        }
        guard let here = file.status else { return false }
        // While it is open, its inode number is not given to another file.
        return here.st_ino == there.st_ino && here.st_dev == there.st_dev
    }

    /// Whether there is nothing but what a first start may leave behind.
    var isNew: Bool {
        get throws(StoreError) { Set(try names()).isSubset(of: [Name.lock, Name.nextManifest]) }
    }

    /// All names in the folder, in no order.
    func names() throws(StoreError) -> [String] {
        let copy = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard copy >= 0, let stream = fdopendir(copy) else { throw failure(errno, "") }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                })
        }
        return names.filter { $0 != "." && $0 != ".." }
    }

    private func failure(_ code: CInt, _ name: String) -> StoreError {
        StoreError(systemError: code, path: name.isEmpty ? path : "\(path)/\(name)")
    }

    /// Syncs the names of the new folders to disk.
    private static func create(_ path: String) throws(StoreError) {
        if mkdir(path, 0o700) == 0 { return try syncParent(of: path) }
        if errno == EEXIST { return }
        guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex else {
            throw StoreError(systemError: errno, path: path)
        }
        try create(String(path[..<slash]))
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw StoreError(systemError: errno, path: path) }
        try syncParent(of: path)
    }

    private static func syncParent(of path: String) throws(StoreError) {
        let parent = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let descriptor = Glibc.open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(systemError: errno, path: parent) }
        defer { Glibc.close(descriptor) }
        guard fsync(descriptor) == 0 else { throw StoreError(systemError: errno, path: parent) }
    }
}

/// A file that is open for reading.
final class OpenFile: Sendable {
    private let descriptor: CInt

    init(descriptor: CInt) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    var status: stat? {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? status : nil
    }

    /// The whole content; nil if the system cannot read it, or if the file is longer than `limit` bytes.
    func content(atMost limit: Int) -> [UInt8]? {
        guard let status, status.st_size >= 0, status.st_size <= limit else { return nil }
        let size = Int(status.st_size)
        var isWhole = true
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = 0
            while count < size {
                let rest = UnsafeMutableBufferPointer(rebasing: buffer[count..<size])
                let got = pread(descriptor, rest.baseAddress, rest.count, off_t(count))
                if got < 0 && errno == EINTR { continue }
                guard got > 0 else {
                    isWhole = false
                    return
                }
                count += got
            }
        }
        return isWhole ? bytes : nil
    }
}

extension StoreError {
    /// The operating system's error for a file or folder.
    init(systemError: CInt, path: String) {
        let message = String(cString: strerror(systemError))
        switch systemError {
        case ENOSPC, EDQUOT: self.init(.full, "The disk of \(path) is full.")
        case EACCES, EPERM, EROFS, ENOTDIR, EISDIR, ELOOP:
            self.init(.notPermitted, "\(path) cannot be read or written: \(message).")
        default: self.init(.failed, "\(path): \(message).")
        }
    }
}
