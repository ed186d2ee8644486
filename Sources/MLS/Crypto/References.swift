/// The hash a Welcome names a key package by (RFC 9420 §5.2).
public struct KeyPackageRef: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(from reader: inout TLSReader) throws(MLSError) { bytes = try reader.readOpaque() }
    package func encode(to writer: inout TLSWriter) { writer.writeOpaque(bytes) }
}

/// The hash a Commit names a proposal by (RFC 9420 §5.2).
public struct ProposalRef: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }
    package init(from reader: inout TLSReader) throws(MLSError) { bytes = try reader.readOpaque() }
    package func encode(to writer: inout TLSWriter) { writer.writeOpaque(bytes) }
}
