import Glibc

/// Why a file could not be written.
public enum DraftError: Error, Hashable, Sendable {
    /// A file of this name exists already.
    case exists(path: String)
    /// Something else has this name, which a file must not replace.
    case notAFile(path: String)
    /// The name is empty, or ends with a slash.
    case noName(path: String)
    /// Something that is not ours is in the place of the draft.
    case inTheWay(path: String)
    /// Another process is writing it.
    case beingWritten(path: String)
    /// Another process has just written it.
    case justWritten(path: String)
    /// The file cannot be written; with the system's error number, such as `ENOSPC`.
    case unusable(path: String, systemError: Int32)
    /// The file is there and complete, but the disk does not confirm that it will stay.
    case unsure(path: String, systemError: Int32)
    /// Someone stopped it.
    case interrupted
}

/// A file that appears as a whole: under its own name only once all of it is on disk, with mode 0600.
///
/// Until then it is `NAME.waxwing-part`, held by a lock that ends with the process. What a killed process has left
/// there is overwritten by the next one.
package final class DraftFile {
    private let path: String
    private let draft: String
    private let isReplacing: Bool
    private let descriptor: Int32
    private let isStopped: () -> Bool
    private var isPublished = false
    package private(set) var count: UInt64 = 0
    /// The offset up to which the disk was told to write, and how many bytes it is told to write at a time.
    private var pushed: UInt64 = 0
    private static let push: UInt64 = 8 << 20

    package var folder: String { PrivateFile.folder(of: path) }

    /// - Parameters:
    ///   - replacing: whether to replace an existing file of that name in the end.
    ///   - isStopped: asked now and then; if it returns true, the draft is abandoned.
    package init(_ path: String, replacing: Bool, isStopped: @escaping () -> Bool = { false }) throws(DraftError) {
        self.path = path
        self.isStopped = isStopped
        isReplacing = replacing
        draft = path + ".waxwing-part"
        try Self.checkPlace(path, replacing)
        // This comes last: a file that is not ours yet must not be removed.
        descriptor = try Self.take(draft)
    }

    private static func take(_ draft: String) throws(DraftError) -> Int32 {
        // Do not wait for a reader if there is a pipe of that name.
        let descriptor = open(draft, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0o600)
        guard descriptor >= 0 else { throw .unusable(path: draft, systemError: errno) }
        do throws(DraftError) {
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
                throw .beingWritten(path: draft)
            }
            var (mine, there) = (stat(), stat())
            guard fstat(descriptor, &mine) == 0 else { throw .unusable(path: draft, systemError: errno) }
            // A file that has a second name, or another owner, is not ours to overwrite.
            guard mine.st_mode & S_IFMT == S_IFREG, mine.st_nlink <= 1, mine.st_uid == geteuid() else {
                throw .inTheWay(path: draft)
            }
            // Between opening and locking, the other process may have given the file its final name.
            guard stat(draft, &there) == 0, mine.st_ino == there.st_ino, mine.st_dev == there.st_dev else {
                throw .justWritten(path: draft)
            }
            guard ftruncate(descriptor, 0) == 0, fchmod(descriptor, 0o600) == 0 else {
                let code = errno
                // It is ours from here on.
                unlink(draft)
                throw .unusable(path: draft, systemError: code)
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

    /// - Throws: ``DraftError`` `unusable` or `interrupted`.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(DraftError) {
        if isStopped() { throw .interrupted }
        var rest = bytes
        while !rest.isEmpty {
            let written = write(descriptor, rest.baseAddress, rest.count)
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .unusable(path: draft, systemError: errno) }
            count += UInt64(written)
            rest = UnsafeRawBufferPointer(rebasing: rest[written...])
        }
        if count - pushed >= Self.push {
            // The disk begins to write now, so that `publish` has little left to wait for. It does not matter if this
            // fails.
            posix_fadvise(descriptor, off_t(pushed), off_t(count - pushed), POSIX_FADV_DONTNEED)
            pushed = count
        }
    }

    /// Gives the file its name; it is on disk on return.
    ///
    /// - Throws: ``DraftError``; the earlier file is unchanged, unless the error is `unsure`.
    package func publish() throws(DraftError) {
        guard fsync(descriptor) == 0 else { throw .unusable(path: draft, systemError: errno) }
        if isStopped() { throw .interrupted }
        try Self.checkPlace(path, isReplacing)
        try takeName()
        isPublished = true
        let code = PrivateFile.syncNames(in: folder)
        // Some file systems cannot do this for folders, and report it.
        guard code == 0 || code == EINVAL else {
            throw .unsure(path: path, systemError: code)
        }
    }

    private func takeName() throws(DraftError) {
        if !isReplacing {
            // A hard link never replaces another file, even one made meanwhile. Not all file systems have them.
            if link(draft, path) == 0 {
                unlink(draft)
                return
            }
            if errno == EEXIST { throw .exists(path: path) }
        }
        guard rename(draft, path) == 0 else { throw .unusable(path: path, systemError: errno) }
    }

    private static func checkPlace(_ path: String, _ isReplacing: Bool) throws(DraftError) {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw .noName(path: path) }
        var status = stat()
        guard lstat(path, &status) == 0 else {
            if errno == ENOENT { return }
            throw .unusable(path: path, systemError: errno)
        }
        if !isReplacing { throw .exists(path: path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile(path: path) }
    }
}
