import Glibc
import Waxwing

/// A file that comes into being as a whole: under its own name only once all of it is on disk, with mode 0600.
///
/// Until then it is `NAME.waxwing-part`, held by a lock that goes with the process. What a killed process has left there is written over by the next one.
final class DraftFile {
    private let path: String
    private let draft: String
    private let isReplacing: Bool
    /// What to do where the name is taken.
    private let hint: String
    private let descriptor: Int32
    /// As long as the draft is there, a signal does not end the process: it is cleared away first.
    private let interrupt = Interrupt()
    private var isPublished = false
    private(set) var count: UInt64 = 0
    /// Up to where the disk was told to begin writing, and how many bytes it is told at a time.
    private var pushed: UInt64 = 0
    private static let push: UInt64 = 8 << 20

    var folder: String { PrivateFile.folder(of: path) }

    /// - Parameter replacing: whether a file of that name may be there, and is replaced in the end.
    /// - Throws: ``Failure``.
    init(_ path: String, replacing: Bool, hint: String = "choose another name") throws(Failure) {
        self.path = path
        self.hint = hint
        isReplacing = replacing
        draft = path + ".waxwing-part"
        try Self.checkPlace(path, replacing, hint)
        // Last of all: what is not ours yet must not be cleared away.
        descriptor = try Self.take(draft)
    }

    private static func take(_ draft: String) throws(Failure) -> Int32 {
        // Without waiting for a reader, where there is a pipe of that name.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw trouble(draft, errno) }
        do throws(Failure) {
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw Failure(
                    .profileInUse, "another process is writing \(draft)", hint: "wait for it to end, then try again")
            }
            var (mine, there) = (stat(), stat())
            guard fstat(descriptor, &mine) == 0 else { throw trouble(draft, errno) }
            // What has another name too, or is somebody else's, is not ours to write over.
            guard mine.st_mode & S_IFMT == S_IFREG, mine.st_nlink <= 1, mine.st_uid == geteuid() else {
                throw Failure(.usage, "\(draft) is in the way", hint: "move it, or choose another name")
            }
            // Between opening and locking, the other process may have given the file its final name.
            guard stat(draft, &there) == 0, mine.st_ino == there.st_ino, mine.st_dev == there.st_dev else {
                throw Failure(.profileInUse, "another process has just written \(draft)", hint: "try again")
            }
            guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else {
                let code = errno
                // It is ours by now.
                unlink(draft)
                throw trouble(draft, code)
            }
        } catch {
            close(descriptor)
            throw error
        }
        return descriptor
    }

    deinit {
        if !isPublished { unlink(draft) }
        close(descriptor)
    }

    /// - Throws: ``Failure`` `diskFull`, `interrupted` or `other`.
    func append(_ bytes: UnsafeRawBufferPointer) throws(Failure) {
        if interrupt.hasCome { throw .interrupted }
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw Self.trouble(draft, errno) }
            count += UInt64(written)
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        if count - pushed >= Self.push {
            // The disk begins on it now, so that `publish` has little left to wait for. Where it does not, that is all there is to it.
            posix_fadvise(descriptor, off_t(pushed), off_t(count - pushed), POSIX_FADV_DONTNEED)
            pushed = count
        }
    }

    /// Gives the file its name; it is on disk on return.
    ///
    /// - Throws: ``Failure``; what was there before is as it was, unless the message says that the file is there.
    func publish() throws(Failure) {
        guard fsync(descriptor) == 0 else { throw Self.trouble(draft, errno) }
        if interrupt.hasCome { throw .interrupted }
        try Self.checkPlace(path, isReplacing, hint)
        try takeName()
        isPublished = true
        let code = PrivateFile.syncNames(in: folder)
        // Some file systems cannot do this for folders, and say so.
        guard code == 0 || code == EINVAL else {
            throw Failure(
                code == ENOSPC || code == EDQUOT ? .diskFull : .other,
                "\(path) is there and whole, but the disk does not say that it stays: \(String(cString: strerror(code)))",
                hint: "copy it to another disk, or make room and call `sync`")
        }
    }

    private func takeName() throws(Failure) {
        if !isReplacing {
            // A second name never takes another file's place, whoever came meanwhile. Not all file systems have them.
            if link(draft, path) == 0 {
                unlink(draft)
                return
            }
            if errno == EEXIST { throw Self.taken(path, hint) }
        }
        guard rename(draft, path) == 0 else { throw Self.trouble(path, errno) }
    }

    private static func taken(_ path: String, _ hint: String) -> Failure {
        Failure(.usage, "\(path) is there already", hint: hint)
    }

    private static func checkPlace(_ path: String, _ isReplacing: Bool, _ hint: String) throws(Failure) {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw Failure(.usage, "\(path) is no name for a file") }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw trouble(path, errno)
        }
        if !isReplacing { throw taken(path, hint) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw Failure(.usage, "\(path) is there, and is no file", hint: "choose another name")
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
