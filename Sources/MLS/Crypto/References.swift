/// The hash a Welcome names a key package by (RFC 9420 §5.2).
public struct KeyPackageRef: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(from reader: inout TLSReader) throws(MLSError) { bytes = try reader.readOpaque() }
    public func encode(to writer: inout TLSWriter) { writer.writeOpaque(bytes) }
}

/// The hash a Commit names a proposal by (RFC 9420 §5.2).
public struct ProposalRef: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let bytes: [UInt8]

    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    public init(from reader: inout TLSReader) throws(MLSError) { bytes = try reader.readOpaque() }
    public func encode(to writer: inout TLSWriter) { writer.writeOpaque(bytes) }
}
