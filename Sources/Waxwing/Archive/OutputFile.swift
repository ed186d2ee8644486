import Files

/// Why a file could not be written.
public enum OutputFileError: Error, Hashable, Sendable {
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
package final class OutputFile {
    private let path: String
    private let draft: String
    private let isReplacing: Bool
    private let file: File
    private let isStopped: () -> Bool
    private var isPublished = false
    package private(set) var count: UInt64 = 0
    /// The offset up to which the disk was told to write, and how many bytes it is told to write at a time.
    private var pushed: UInt64 = 0
    private static let push: UInt64 = 8 << 20

    package var folder: String { FileSystem.folder(of: path) }

    /// - Parameters:
    ///   - replacing: whether to replace an existing file of that name in the end.
    ///   - isStopped: asked now and then; if it returns true, the draft is abandoned.
    package init(_ path: String, replacing: Bool, isStopped: @escaping () -> Bool = { false }) throws(OutputFileError) {
        self.path = path
        self.isStopped = isStopped
        isReplacing = replacing
        draft = path + ".waxwing-part"
        try Self.checkPlace(path, replacing)
        // This comes last: a file that is not ours yet must not be removed.
        file = try Self.take(draft)
    }

    private static func take(_ draft: String) throws(OutputFileError) -> File {
        // Do not wait for a reader if there is a pipe of that name.
        let file = try call { () throws(FileError) in
            try File(draft, .writeOnly, [.create, .noFollow, .nonBlocking])
        }
        // Whatever keeps it from being locked, it is not ours.
        guard (try? file.tryLock(.exclusive)) == true else { throw .beingWritten(path: draft) }
        let mine = try call { () throws(FileError) in try file.status() }
        // A file that has a second name, or another owner, is not ours to overwrite.
        guard mine.isRegular, mine.links <= 1, mine.owner == FileSystem.user else { throw .inTheWay(path: draft) }
        // Between opening and locking, the other process may have given the file its final name.
        guard let there = try? FileSystem.status(of: draft), there.isSameFile(as: mine) else {
            throw .justWritten(path: draft)
        }
        try call { () throws(FileError) in
            do throws(FileError) {
                try file.resize(to: 0)
                try file.setPermissions(0o600)
            } catch {
                // It is ours from here on; what cannot be removed is overwritten by the next one.
                try? FileSystem.remove(draft)
                throw error
            }
        }
        return file
    }

    deinit {
        // What cannot be removed is overwritten by the next one.
        if !isPublished { try? FileSystem.remove(draft) }
    }

    /// - Throws: ``OutputFileError`` `unusable` or `interrupted`.
    package func append(_ bytes: UnsafeRawBufferPointer) throws(OutputFileError) {
        if isStopped() { throw .interrupted }
        try Self.call { () throws(FileError) in try file.write(bytes) }
        count += UInt64(bytes.count)
        if count - pushed >= Self.push {
            // So that `publish` has little left to wait for.
            file.beginSync(from: pushed, count: count - pushed)
            pushed = count
        }
    }

    /// Gives the file its name; it is on disk on return.
    ///
    /// - Throws: ``OutputFileError``; the earlier file is unchanged, unless the error is `unsure`.
    package func publish() throws(OutputFileError) {
        try Self.call { () throws(FileError) in try file.sync() }
        if isStopped() { throw .interrupted }
        try Self.checkPlace(path, isReplacing)
        try takeName()
        isPublished = true
        do throws(FileError) {
            try FileSystem.confirmNames(in: folder)
        } catch {
            throw .unsure(path: path, systemError: error.code.rawValue)
        }
    }

    private func takeName() throws(OutputFileError) {
        if !isReplacing {
            do throws(FileError) {
                // A hard link never replaces another file, even one made meanwhile. Not all file systems have them.
                try FileSystem.link(draft, as: path)
                // A draft that stays is overwritten by the next one.
                try? FileSystem.remove(draft)
                return
            } catch  where error.code == .fileExists {
                throw .exists(path: path)
            } catch {
                // The name is free, so renaming replaces nothing.
            }
        }
        try Self.call { () throws(FileError) in try FileSystem.rename(draft, to: path) }
    }

    private static func checkPlace(_ path: String, _ isReplacing: Bool) throws(OutputFileError) {
        guard !path.isEmpty, !path.hasSuffix("/") else { throw .noName(path: path) }
        guard
            let status = try call({ () throws(FileError) in
                try FileSystem.status(of: path, followsLinks: false)
            })
        else { return }
        if !isReplacing { throw .exists(path: path) }
        guard status.isRegular else { throw .notAFile(path: path) }
    }

    private static func call<Result>(_ body: () throws(FileError) -> Result) throws(OutputFileError) -> Result {
        do throws(FileError) {
            return try body()
        } catch {
            throw .unusable(path: error.path, systemError: error.code.rawValue)
        }
    }
}
