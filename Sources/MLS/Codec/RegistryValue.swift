/// A 16-bit value of one of the IANA registries of RFC 9420 §17.
///
/// Unknown values are carried unchanged, which is what keeps GREASE (RFC 9420 §13.5) harmless.
package protocol RegistryValue: RawRepresentable, Hashable, Sendable, TLSEncodable, TLSDecodable
where RawValue == UInt16 {
    init(rawValue: UInt16)
}

extension RegistryValue {
    package init(_ rawValue: UInt16) {
        self.init(rawValue: rawValue)
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        self.init(rawValue: try reader.read())
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(rawValue)
    }
}

/// A version of the protocol (RFC 9420 §17.1 and §6).
public struct ProtocolVersion: RegistryValue {
    public let rawValue: UInt16

    public init(rawValue: UInt16) { self.rawValue = rawValue }

    public static let mls10 = ProtocolVersion(1)
}
