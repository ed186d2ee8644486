/// What a client supports (RFC 9420 §7.2). Defaults of the protocol are supported whether listed or not.
public struct Capabilities: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package var versions: [ProtocolVersion]
    package var cipherSuites: [CipherSuite.Identifier]
    package var extensions: [ExtensionType]
    package var proposals: [ProposalType]
    package var credentials: [CredentialType]

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

    package init(from reader: inout TLSReader) throws(MLSError) {
        versions = try reader.readVector()
        cipherSuites = try reader.readVector()
        extensions = try reader.readVector()
        proposals = try reader.readVector()
        credentials = try reader.readVector()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeVector(versions)
        writer.writeVector(cipherSuites)
        writer.writeVector(extensions)
        writer.writeVector(proposals)
        writer.writeVector(credentials)
    }

    package func supports(_ type: ExtensionType) -> Bool { type.isDefault || extensions.contains(type) }
    package func supports(_ type: ProposalType) -> Bool { type.isDefault || proposals.contains(type) }
    package func supports(_ type: CredentialType) -> Bool { credentials.contains(type) }
    package func supports(_ suite: CipherSuite) -> Bool { cipherSuites.contains(suite.identifier) }

    /// Whether all that a group requires is supported (RFC 9420 §11.1).
    package func satisfy(_ required: RequiredCapabilities) -> Bool {
        required.extensions.allSatisfy(supports) && required.proposals.allSatisfy(supports)
            && required.credentials.allSatisfy(supports)
    }
}

extension TLSReader {
    /// Shares equal capabilities: most members of a group have the same ones.
    mutating func readCapabilities() throws(MLSError) -> Capabilities {
        // An encoding determines its own end, so the same bytes are the same value.
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
