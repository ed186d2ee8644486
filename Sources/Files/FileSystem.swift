import Glibc
internal import SystemPackage

/// Files and folders by their names. With `folder`, a name is relative to that open folder.
package enum FileSystem {
    /// - Returns: nil if there is nothing of that name.
    /// - Throws: ``FileError``.
    package static func status(
        of name: String, in folder: File? = nil, followsLinks: Bool = true
    ) throws(FileError) -> FileStatus? {
        do throws(Errno) {
            guard let folder else {
                return FileStatus(try Stat(name, followTargetSymlink: followsLinks))
            }
            var status = stat()
            guard fstatat(folder.descriptor, name, &status, followsLinks ? 0 : AT_SYMLINK_NOFOLLOW) == 0 else {
                throw lastError
            }
            return FileStatus(Stat(rawValue: status))
        } catch {
            if error == .noSuchFileOrDirectory { return nil }
            throw FileError(folder?.path(of: name) ?? name, error)
        }
    }

    /// Whether something has that name, be it a link that leads nowhere. False also if that cannot be told.
    package static func isThere(_ path: String) -> Bool {
        // Whoever needs to know why it cannot be told asks for the status.
        (try? status(of: path, followsLinks: false)) != nil
    }

    /// The absolute path without links, of something that is there.
    ///
    /// - Throws: ``FileError``.
    package static func realPath(_ path: String) throws(FileError) -> String {
        guard let resolved = realpath(path, nil) else { throw FileError(path, lastError) }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The path of the folder that holds the file of this path.
    package static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// The user this process acts for.
    package static var user: UInt32 { geteuid() }

    // MARK: Names

    /// Gives a file another name, in place of a file that has it already. It is on disk after a sync of the folder.
    ///
    /// - Throws: ``FileError`` with the new path.
    package static func rename(_ name: String, to other: String, in folder: File? = nil) throws(FileError) {
        let place = folder?.descriptor ?? AT_FDCWD
        guard renameat(place, name, place, other) == 0 else {
            let code = lastError
            throw FileError(folder?.path(of: other) ?? other, code)
        }
    }

    /// Gives a file a second name, which no file may have.
    ///
    /// - Throws: ``FileError`` with the second path; `fileExists` if it is taken.
    package static func link(_ path: String, as other: String) throws(FileError) {
        guard Glibc.link(path, other) == 0 else { throw FileError(other, lastError) }
    }

    /// Removes a file, if it is there.
    ///
    /// - Throws: ``FileError``.
    package static func remove(_ name: String, in folder: File? = nil) throws(FileError) {
        guard unlinkat(folder?.descriptor ?? AT_FDCWD, name, 0) != 0 else { return }
        let code = lastError
        if code != .noSuchFileOrDirectory { throw FileError(folder?.path(of: name) ?? name, code) }
    }

    /// Waits until the names in a folder are on disk.
    ///
    /// - Throws: ``FileError``; `invalidArgument` on a file system that cannot do this for folders.
    package static func syncNames(in folder: String) throws(FileError) {
        try File(folder, .readOnly, .directory).sync()
    }

    // MARK: Private files and folders

    /// Makes a folder with mode 0700.
    ///
    /// - Returns: false if something of that name is there already; it stays unchanged.
    /// - Throws: ``FileError``.
    @discardableResult
    package static func makeFolder(_ path: String) throws(FileError) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        let code = lastError
        if code == .fileExists { return false }
        throw FileError(path, code)
    }

    /// Makes a folder, and those above it that are missing, with mode 0700.
    ///
    /// - Parameter isDurable: whether to wait until the names of the new folders are on disk.
    /// - Throws: ``FileError`` with the path of the folder that could not be made.
    package static func makeFolders(_ path: String, isDurable: Bool = false) throws(FileError) {
        do throws(FileError) {
            guard try makeFolder(path) else { return }
        } catch {
            guard error.code == .noSuchFileOrDirectory, let slash = path.lastIndex(of: "/"), slash > path.startIndex
            else { throw error }
            try makeFolders(String(path[..<slash]), isDurable: isDurable)
            try makeFolder(path)
        }
        if isDurable { try syncNames(in: folder(of: path)) }
    }

    /// Makes a folder with mode 0700 and a name of its own, which begins with `prefix`.
    ///
    /// - Returns: its path.
    /// - Throws: ``FileError``.
    package static func makeTemporaryFolder(prefix: String) throws(FileError) -> String {
        var template = Array("\(prefix)XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw FileError(prefix, lastError) }
        return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Makes an empty file with mode 0600 without opening it: closing a descriptor would drop the locks (fcntl(2)) that
    /// this process has on the file.
    ///
    /// - Returns: false if something of that name is there already; it stays unchanged.
    /// - Throws: ``FileError``.
    package static func makeFile(_ path: String) throws(FileError) -> Bool {
        if mknod(path, S_IFREG | 0o600, 0) == 0 { return true }
        let code = lastError
        if code == .fileExists { return false }
        throw FileError(path, code)
    }

    /// - Parameter permissions: who may read and write it, such as 0600.
    /// - Throws: ``FileError``.
    package static func setPermissions(_ permissions: UInt32, of path: String) throws(FileError) {
        guard chmod(path, permissions) == 0 else { throw FileError(path, lastError) }
    }

    // MARK: Whole files

    /// Replaces a file as a whole, or makes it, with mode 0600. It is on disk on return.
    ///
    /// - Throws: ``FileError``; the old file is unchanged, unless the error names the folder: then the new one is there,
    ///   but the disk does not confirm that it will stay.
    package static func replace(_ path: String, by bytes: [UInt8]) throws(FileError) {
        let draft = path + ".new"
        let file = try File(draft, .writeOnly, [.create, .truncate])
        do throws(FileError) {
            try file.write(bytes)
            try file.sync()
            try rename(draft, to: path)
        } catch {
            // It only takes up room; the next write begins it again.
            try? remove(draft)
            throw FileError(path, error.code)
        }
        try confirmNames(in: folder(of: path))
    }

    /// Waits until the names in a folder are on disk, where the file system can do that for folders.
    ///
    /// - Throws: ``FileError``.
    package static func confirmNames(in folder: String) throws(FileError) {
        do throws(FileError) {
            try syncNames(in: folder)
        } catch  where error.code == .invalidArgument {
            // Some file systems cannot, and report it.
        }
    }
}
