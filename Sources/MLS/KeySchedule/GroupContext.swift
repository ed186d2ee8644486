/// What all members of an epoch agree on; it goes into every key and every signature (RFC 9420 §8.1).
public struct GroupContext: Hashable, Sendable {
    package var suite: CipherSuite
    public var groupID: [UInt8]
    public var epoch: UInt64
    package var treeHash: [UInt8]
    package var confirmedTranscriptHash: [UInt8]
    public var extensions: [Extension]

    package init(
        suite: CipherSuite, groupID: [UInt8], epoch: UInt64, treeHash: [UInt8], confirmedTranscriptHash: [UInt8],
        extensions: [Extension]
    ) {
        self.suite = suite
        self.groupID = groupID
        self.epoch = epoch
        self.treeHash = treeHash
        self.confirmedTranscriptHash = confirmedTranscriptHash
        self.extensions = extensions
    }
}

extension GroupContext: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        let version: ProtocolVersion = try reader.read()
        if version != .mls10 { throw MLSError(.unsupported, "protocol version \(version.rawValue)") }
        suite = try reader.read()
        groupID = try reader.readOpaque()
        epoch = try reader.read()
        treeHash = try reader.readOpaque()
        confirmedTranscriptHash = try reader.readOpaque()
        extensions = try reader.readExtensions()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(ProtocolVersion.mls10)
        writer.write(suite)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.writeOpaque(treeHash)
        writer.writeOpaque(confirmedTranscriptHash)
        writer.writeVector(extensions)
    }
}
