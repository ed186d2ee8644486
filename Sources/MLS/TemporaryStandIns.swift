// Stand-ins for types that arrive with the ratchet tree; this file goes away then.

public enum Credential: Hashable, Sendable {
    case basic([UInt8])
    case x509([[UInt8]])
    case unknown(type: UInt16, data: [UInt8])
}
public struct Extension: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public var type: UInt16
    public var data: [UInt8]
    public init(type: UInt16, data: [UInt8]) { self.type = type; self.data = data }
    public init(from reader: inout TLSReader) throws(MLSError) {
        type = try reader.read(); data = try reader.readOpaque()
    }
    public func encode(to writer: inout TLSWriter) { writer.write(type); writer.writeOpaque(data) }
}
public struct Lifetime: Hashable, Sendable {
    public var notBefore: UInt64
    public var notAfter: UInt64
    public init(notBefore: UInt64, notAfter: UInt64) { self.notBefore = notBefore; self.notAfter = notAfter }
}
public struct LeafNode: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public init(from reader: inout TLSReader) throws(MLSError) { fatalError() }
    public func encode(to writer: inout TLSWriter) {}
}
public struct KeyPackage: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public init(from reader: inout TLSReader) throws(MLSError) { fatalError() }
    public func encode(to writer: inout TLSWriter) {}
}
public struct KeyPackageRef: Hashable, Sendable {
    public let bytes: [UInt8]
}
public struct KeyPackageBundle: Sendable {
    public let keyPackage: KeyPackage
    public let initKey: HPKEPrivateKey
    public let encryptionKey: HPKEPrivateKey
}
