import Glibc

/// The way to the server as it was given at login. Not secret, except that a proxy's address may hold a password.
struct Settings: Codable, Hashable, Sendable {
    /// A PEM file with the only certificate authorities to trust, as an absolute path.
    var caFile: String?
    var proxy: String?
    var tokenHeader: String?
    var transport: TransportKind?
    /// Whether an http:// address of another machine is meant: true if someone said so, false if they were told that they have not.
    var insecureHTTP: Bool?

    /// Nothing is set where there is no file.
    ///
    /// - Throws: ``Failure`` where the file cannot be read or understood.
    static func load(_ path: String) throws(Failure) -> Settings { try PrivateFile.load(path) ?? Settings() }

    /// Replaces the file as a whole; it is on disk on return, with mode 0600.
    func save(_ path: String) throws(Failure) { try PrivateFile.replace(path, by: self) }

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
        if let header = options.tokenHeader { merged.tokenHeader = header.isEmpty ? nil : header }
        if options.insecureHTTP { merged.insecureHTTP = true }
        return merged
    }
}
