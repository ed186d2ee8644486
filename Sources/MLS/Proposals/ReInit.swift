/// Ends a group, to go on in a new one with other parameters (RFC 9420 §12.1.5).
public struct ReInit: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let groupID: [UInt8]
    public let version: ProtocolVersion
    /// As on the wire; it may be one we do not know.
    public let cipherSuite: CipherSuite.Identifier
    public let extensions: [Extension]

    package init(
        groupID: [UInt8], version: ProtocolVersion = .mls10, cipherSuite: CipherSuite.Identifier,
        extensions: [Extension]
    ) {
        self.groupID = groupID
        self.version = version
        self.cipherSuite = cipherSuite
        self.extensions = extensions
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        groupID = try reader.readOpaque()
        version = try reader.read()
        cipherSuite = try reader.read()
        extensions = try reader.readExtensions()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(groupID)
        writer.write(version)
        writer.write(cipherSuite)
        writer.writeVector(extensions)
    }
}
