import Glibc
package import SystemPackage

/// A file or folder that is open until the last reference to it goes.
package final class File: Sendable {
    package typealias Access = FileDescriptor.AccessMode
    package typealias Options = FileDescriptor.OpenOptions

    /// As it was named when it was opened.
    package let path: String
    /// The number of its descriptor.
    package let descriptor: Int32

    /// Opens a file or folder. A new file gets the mode 0600, and programs started by this one do not inherit it.
    ///
    /// - Parameters:
    ///   - name: a path; with `folder`, relative to that folder, wherever it has been moved.
    /// - Throws: ``FileError``.
    package init(_ name: String, _ access: Access, _ options: Options = [], in folder: File? = nil) throws(FileError) {
        let flags = access.rawValue | options.rawValue | O_CLOEXEC
        descriptor = openat(folder?.descriptor ?? AT_FDCWD, name, flags, 0o600)
        let code = lastError
        path = folder?.path(of: name) ?? name
        if descriptor < 0 { throw FileError(path, code) }
    }

    private init(descriptor: Int32, path: String) {
        self.descriptor = descriptor
        self.path = path
    }

    /// A new file with mode 0600 and no name, which is gone when it is closed.
    ///
    /// - Parameter folder: where it takes its room.
    /// - Throws: ``FileError`` with the path of the folder.
    package static func temporary(in folder: String, prefix: String) throws(FileError) -> File {
        var template = Array("\(folder)/\(prefix)XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw FileError(folder, lastError) }
        unlink(template)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        return File(descriptor: descriptor, path: folder)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// The path of a name in this folder.
    package func path(of name: String) -> String { "\(path)/\(name)" }

    /// - Throws: ``FileError``.
    package func status() throws(FileError) -> FileStatus {
        do throws(Errno) {
            return FileStatus(try FileDescriptor(rawValue: descriptor).stat())
        } catch {
            throw FileError(path, error)
        }
    }

    // MARK: Reading

    /// Reads what is there, at most as much as the buffer takes.
    ///
    /// - Returns: how many bytes; 0 only at the end, or for an empty buffer.
    /// - Throws: ``FileError``.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try repeating { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
    }

    /// The same from a position on.
    package func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        try repeating { pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset)) }
    }

    /// Fills the buffer from a position on.
    ///
    /// - Returns: how many bytes; fewer than it takes only if the file ends there.
    /// - Throws: ``FileError``.
    package func readAll(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(FileError) -> Int {
        var done = 0
        while done < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
            let count = try read(at: offset + UInt64(done), into: rest)
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// The rest of the file, whatever kind it is; nil if that is more than `limit` bytes.
    ///
    /// - Throws: ``FileError``.
    package func readToEnd(atMost limit: Int) throws(FileError) -> [UInt8]? {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: min(limit, 1 << 20) + 1)
        while bytes.count <= limit {
            let count = try part.withUnsafeMutableBytesOfPart { buffer throws(FileError) in try read(into: buffer) }
            if count == 0 { return bytes }
            bytes += part[..<count]
        }
        return nil
    }

    /// All of a regular file, in memory of just its size; nil if it is longer than `limit` bytes, or became shorter.
    ///
    /// - Throws: ``FileError``.
    package func contents(atMost limit: Int) throws(FileError) -> [UInt8]? {
        let size = try status().size
        guard size >= 0, size <= limit else { return nil }
        let bytes = try bytes(at: 0, Int(size))
        return bytes.count == Int(size) ? bytes : nil
    }

    /// As many bytes from a position on; fewer only if the file ends there.
    ///
    /// - Throws: ``FileError``.
    package func bytes(at offset: UInt64, _ count: Int) throws(FileError) -> [UInt8] {
        var failure: FileError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            let room = UnsafeMutableRawBufferPointer(buffer)
            do throws(FileError) {
                done = try readAll(at: offset, into: UnsafeMutableRawBufferPointer(rebasing: room[..<count]))
            } catch {
                (failure, done) = (error, 0)
            }
        }
        if let failure { throw failure }
        return bytes
    }

    // MARK: Writing

    /// Writes all of the bytes. If it fails, some of them may have been written.
    ///
    /// - Throws: ``FileError``.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try repeating { Glibc.write(descriptor, rest.baseAddress, rest.count) }
            guard count > 0 else { throw FileError(path, .noSpace) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// The same for an array.
    package func write(_ bytes: [UInt8]) throws(FileError) {
        let result = bytes.withUnsafeBytes { buffer in Result { () throws(FileError) in try write(buffer) } }
        try result.get()
    }

    /// Waits until all that was written is on disk; for a folder, until its names are.
    ///
    /// - Throws: ``FileError``.
    package func sync() throws(FileError) { try check(fsync(descriptor)) }

    /// Lets the disk begin to write these bytes now, so that a later ``sync()`` has less to wait for. It does not matter
    /// if this fails.
    package func beginSync(from offset: UInt64, count: UInt64) {
        posix_fadvise(descriptor, off_t(offset), off_t(count), POSIX_FADV_DONTNEED)
    }

    /// Cuts the file, or makes it longer with zeros.
    ///
    /// - Throws: ``FileError``.
    package func resize(to size: Int64) throws(FileError) { try check(ftruncate(descriptor, off_t(size))) }

    /// - Parameter permissions: who may read and write it, such as 0600.
    /// - Throws: ``FileError``.
    package func setPermissions(_ permissions: UInt32) throws(FileError) { try check(fchmod(descriptor, permissions)) }

    // MARK: Calls

    private func check(_ result: Int32) throws(FileError) {
        if result != 0 { throw FileError(path, lastError) }
    }

    /// Calls again if a signal interrupted it.
    private func repeating(_ call: () -> Int) throws(FileError) -> Int {
        while true {
            let count = call()
            if count >= 0 { return count }
            let code = lastError
            if code != .interrupted { throw FileError(path, code) }
        }
    }
}

extension [UInt8] {
    fileprivate mutating func withUnsafeMutableBytesOfPart(
        _ body: (UnsafeMutableRawBufferPointer) throws(FileError) -> Int
    ) throws(FileError) -> Int {
        let result = withUnsafeMutableBytes { buffer in Result { () throws(FileError) in try body(buffer) } }
        return try result.get()
    }
}
