/// What a client supports (RFC 9420 §7.2). Defaults of the protocol are supported whether listed or not.
public struct Capabilities: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public var versions: [ProtocolVersion]
    public var cipherSuites: [CipherSuite.Identifier]
    public var extensions: [ExtensionType]
    public var proposals: [ProposalType]
    public var credentials: [CredentialType]

    public init(
        versions: [ProtocolVersion] = [.mls10],
        cipherSuites: [CipherSuite.Identifier] = CipherSuite.allCases.map(\.identifier),
        extensions: [ExtensionType] = [.lastResort], proposals: [ProposalType] = [],
        credentials: [CredentialType] = [.basic]
    ) {
        self.versions = versions
        self.cipherSuites = cipherSuites
        self.extensions = extensions
        self.proposals = proposals
        self.credentials = credentials
    }

    public init(from reader: inout TLSReader) throws(MLSError) {
        versions = try reader.readVector()
        cipherSuites = try reader.readVector()
        extensions = try reader.readVector()
        proposals = try reader.readVector()
        credentials = try reader.readVector()
    }

    public func encode(to writer: inout TLSWriter) {
        writer.writeVector(versions)
        writer.writeVector(cipherSuites)
        writer.writeVector(extensions)
        writer.writeVector(proposals)
        writer.writeVector(credentials)
    }

    public func supports(_ type: ExtensionType) -> Bool { type.isDefault || extensions.contains(type) }
    public func supports(_ type: ProposalType) -> Bool { type.isDefault || proposals.contains(type) }
    public func supports(_ type: CredentialType) -> Bool { credentials.contains(type) }
    public func supports(_ suite: CipherSuite) -> Bool { cipherSuites.contains(suite.identifier) }

    /// Whether all that a group requires is supported (RFC 9420 §11.1).
    public func satisfy(_ required: RequiredCapabilities) -> Bool {
        required.extensions.allSatisfy(supports) && required.proposals.allSatisfy(supports)
            && required.credentials.allSatisfy(supports)
    }
}

extension TLSReader {
    /// Capabilities, which most members of a group have in common: those of one leaf are shared by the next where they are the same.
    mutating func readCapabilities() throws(MLSError) -> Capabilities {
        // An encoding says itself where it ends, so the same bytes are the same value.
        if let recent = recentCapabilities, skip(recent.bytes) { return recent.value }
        let start = position
        let value = try read(Capabilities.self)
        recentCapabilities = RecentCapabilities(bytes: Array(consumed(since: start)), value: value)
        return value
    }

    /// The capabilities that were read last.
    struct RecentCapabilities: Sendable {
        let bytes: [UInt8]
        let value: Capabilities
    }
}
