/// The way to the server as given at sign-in. Not secret, except that a proxy's address may hold a password.
public struct ServerSettings: Codable, Hashable, Sendable {
    /// The absolute path of a PEM file with the only certificate authorities to trust.
    public var caFile: String?
    public var proxy: String?
    /// The name of the header that carries the session token, if the server uses another one than its own.
    public var tokenHeader: String?
    public var transport: TransportKind?
    /// Whether an http address of another machine is intended: true if someone said so, false if they were told that
    /// they have not.
    public var insecureHTTP: Bool?

    public init(
        caFile: String? = nil, proxy: String? = nil, tokenHeader: String? = nil, transport: TransportKind? = nil,
        insecureHTTP: Bool? = nil
    ) {
        self.caFile = caFile
        self.proxy = proxy
        self.tokenHeader = tokenHeader
        self.transport = transport
        self.insecureHTTP = insecureHTTP
    }

    /// Empty if there is no file.
    ///
    /// - Throws: ``AccountError`` if the file cannot be read or understood.
    package static func load(_ path: String) throws(AccountError) -> ServerSettings {
        try ProfileFile.load(path) ?? ServerSettings()
    }

    /// Replaces the whole file; it is on disk on return, with mode 0600.
    package func save(_ path: String) throws(AccountError) { try ProfileFile.replace(path, by: self) }
}
