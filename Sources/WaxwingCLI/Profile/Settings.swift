import FoundationEssentials
import Glibc

/// The way to the server as it was given at login. Not secret, except that a proxy's address may hold a password.
struct Settings: Codable, Hashable, Sendable {
    /// A PEM file with the certificate authorities to trust, as an absolute path.
    var caFile: String?
    var proxy: String?
    var tokenHeader: String?
    var transport: TransportKind?

    /// Nothing is set where there is no file.
    ///
    /// - Throws: ``Failure`` where the file cannot be read or understood.
    static func load(_ path: String) throws(Failure) -> Settings {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT { return Settings() }
            throw Profile.unusable(path, errno)
        }
        defer { close(descriptor) }
        do {
            let bytes = try InputBytes.read(from: descriptor, limit: 64 << 10)
            return try JSONDecoder().decode(Settings.self, from: Data(bytes))
        } catch {
            throw Failure(
                .profileDamaged, "\(path) cannot be understood",
                hint: "delete the file, then log in again with its options")
        }
    }

    /// Replaces the file as a whole; it is on disk on return, with mode 0600.
    func save(_ path: String) throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else {
            throw Failure(.other, "the settings cannot be written down")
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
    }

    /// These settings, with whatever was given on the command line in place of what was there.
    ///
    /// - Throws: ``Failure`` where the certificate file does not exist.
    func merging(_ options: ServerOptions) throws(Failure) -> Settings {
        var merged = self
        if let file = options.caFile {
            guard let resolved = realpath(file, nil) else {
                throw Failure(
                    .usage, "the file of certificate authorities cannot be used: \(String(cString: strerror(errno)))")
            }
            defer { free(resolved) }
            merged.caFile = String(cString: resolved)
        }
        if let proxy = options.proxy { merged.proxy = proxy.isEmpty ? nil : proxy }
        if let transport = options.transport { merged.transport = transport }
        if let header = options.tokenHeader { merged.tokenHeader = header.isEmpty ? nil : header }
        return merged
    }
}
