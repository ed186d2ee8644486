import Glibc

/// A file that comes into being as a whole: under its own name only once all of it is on disk, with mode 0600.
///
/// Until then it is `NAME.part`, held by a lock that goes with the process. What a killed process has left there is written over by the next one.
final class DraftFile {
    private let path: String
    private let draft: String
    private let isReplacing: Bool
    private let descriptor: Int32
    private var isPublished = false
    private(set) var count: UInt64 = 0

    var folder: String { Self.folder(of: path) }

    /// - Parameter replacing: whether a file of that name may be there, and is replaced in the end.
    /// - Throws: ``Failure``.
    init(_ path: String, replacing: Bool) throws(Failure) {
        self.path = path
        isReplacing = replacing
        draft = path + ".part"
        try Self.checkPlace(path, replacing)
        // Last of all: what is not ours yet must not be cleared away.
        descriptor = try Self.take(draft)
    }

    private static func take(_ draft: String) throws(Failure) -> Int32 {
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw trouble(draft, errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw Failure(
                .profileInUse, "another process is writing \(draft)", hint: "wait for it to end, then try again")
        }
        // Between opening and locking, the other process may have given the file its final name: then it is not ours to write over.
        var (mine, there) = (stat(), stat())
        guard fstat(descriptor, &mine) == 0, stat(draft, &there) == 0, mine.st_ino == there.st_ino,
            mine.st_dev == there.st_dev
        else {
            close(descriptor)
            throw Failure(.profileInUse, "another process has just written \(draft)", hint: "try again")
        }
        guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else {
            let code = errno
            close(descriptor)
            throw trouble(draft, code)
        }
        return descriptor
    }

    deinit {
        if !isPublished { unlink(draft) }
        close(descriptor)
    }

    /// - Throws: ``Failure`` `diskFull` or `other`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.trouble(draft, errno) }
            count += UInt64(written)
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
    }

    /// Gives the file its name; it is on disk on return.
    ///
    /// - Throws: ``Failure``; what was there before is as it was.
    func publish() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw Self.trouble(draft, errno) }
        try Self.checkPlace(path, isReplacing)
        guard rename(draft, path) == 0 else { throw Self.trouble(path, errno) }
        isPublished = true
        let folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.trouble(self.folder, errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw Self.trouble(self.folder, errno) }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    private static func checkPlace(_ path: String, _ isReplacing: Bool) throws(Failure) {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw Failure(.usage, "\(path) is no name for a file") }
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw trouble(path, errno)
        }
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(.usage, "\(path) is there, and is no file") }
        if !isReplacing {
            throw Failure(.usage, "\(path) is there already", hint: "choose another name, or replace it with --force")
        }
    }

    private static func trouble(_ path: String, _ code: Int32) -> Failure {
        let reason = String(cString: strerror(code))
        if code == ENOSPC || code == EDQUOT {
            return Failure(.diskFull, "the disk of \(path) is full", hint: "make room, then try again")
        }
        return Failure(.other, "\(path) cannot be written: \(reason)", hint: "check the folder's owner and rights")
    }
}
