import FoundationEssentials
import Glibc

/// A small JSON file of a profile, with mode 0600.
enum PrivateFile {
    /// Nil where there is no file.
    ///
    /// - Throws: ``Failure`` where the file cannot be read or understood.
    static func load<Content: Decodable>(_ path: String) throws(Failure) -> Content? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return nil }
            throw Profile.unusable(path, errno)
        }
        defer { close(descriptor) }
        do {
            let bytes = try InputBytes.read(from: descriptor, limit: 64 << 10)
            return try JSONDecoder().decode(Content.self, from: Data(bytes))
        } catch {
            throw Failure(.profileDamaged, "\(path) cannot be understood", hint: "delete the file, then try again")
        }
    }

    /// Replaces the file as a whole; it is on disk on return.
    ///
    /// - Throws: ``Failure``; the old file is as it was.
    static func replace(_ path: String, by content: some Encodable) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(content) else {
            throw Failure(.other, "\(path) cannot be written")
        }
        let temporary = path + ".new"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Profile.unusable(temporary, errno) }
        let bytes = [UInt8](data) + [UInt8(ascii: "\n")]
        let count = write(descriptor, bytes, bytes.count)
        let isWhole = count == bytes.count && fsync(descriptor) == 0
        let code = count >= 0 && count < bytes.count ? ENOSPC : errno
        close(descriptor)
        guard isWhole, rename(temporary, path) == 0 else {
            unlink(temporary)
            throw Profile.unusable(path, isWhole ? errno : code)
        }
        try syncFolder(of: path)
    }

    /// The new name is an entry of the folder: without this the old file may come back after a power cut.
    private static func syncFolder(of path: String) throws(Failure) {
        let folder = folder(of: path)
        let code = syncNames(in: folder)
        // Some file systems cannot do this for folders, and say so.
        guard code == 0 || code == EINVAL else { throw Profile.unusable(folder, code) }
    }

    static func folder(of path: String) -> String {
        path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }

    /// The names in a folder are on disk on return.
    ///
    /// - Returns: 0, or the system's number of what went wrong.
    static func syncNames(in folder: String) -> Int32 {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        return fsync(descriptor) == 0 ? 0 : errno
    }
}
