import FoundationEssentials
import Glibc

/// A small JSON file of a profile, with mode 0600.
package enum PrivateFile {
    private static let longest = 64 << 10

    /// Nil if there is no file.
    ///
    /// - Throws: ``AccountError`` if the file cannot be read or understood.
    package static func load<Content: Decodable>(_ path: String) throws(AccountError) -> Content? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw .fileUnusable(path: path, systemError: errno)
        }
        defer { close(descriptor) }
        guard let bytes = read(descriptor, limit: longest),
            let content = try? JSONDecoder().decode(Content.self, from: Data(bytes))
        else { throw .fileDamaged(path: path) }
        return content
    }

    /// Replaces the whole file; it is on disk on return.
    ///
    /// - Throws: ``AccountError`` `fileUnusable`; the old file is unchanged.
    package static func replace(_ path: String, by content: some Encodable) throws(AccountError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(content) else {
            throw .fileDamaged(path: path)
        }
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .fileUnusable(path: temporary, systemError: errno) }
        let bytes = [UInt8](data) + [UInt8(ascii: "\n")]
        let count = write(descriptor, bytes, bytes.count)
        let isWhole = count == bytes.count && fsync(descriptor) == 0
        let code = count >= 0 && count < bytes.count ? ENOSPC : errno
        close(descriptor)
        guard isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw .fileUnusable(path: path, systemError: isWhole ? errno : code)
        }
        try syncFolder(of: path)
    }

    /// The file's content to the end; nil if it is more than `limit` bytes, or cannot be read.
    static func read(_ descriptor: Int32, limit: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: limit + 1)
        while bytes.count <= limit {
            let count = Glibc.read(descriptor, &part, part.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return nil }
            bytes += part[..<count]
        }
        return nil
    }

    /// The new name is an entry of the folder. Without this, the old file may come back after a power cut.
    private static func syncFolder(of path: String) throws(AccountError) {
        let folder = folder(of: path)
        let code = syncNames(in: folder)
        // Some file systems cannot do this for folders, and report it.
        guard code == 0 || code == EINVAL else { throw .fileUnusable(path: folder, systemError: code) }
    }

    package static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// Syncs the names in a folder to disk.
    ///
    /// - Returns: 0, or the system's error number.
    package static func syncNames(in folder: String) -> Int32 {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? 0 : errno
    }
}
