/// When a key package may be used, in Unix seconds, both ends included (RFC 9420 §7.2).
public struct Lifetime: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let notBefore: UInt64
    public let notAfter: UInt64

    public init(notBefore: UInt64, notAfter: UInt64) {
        self.notBefore = notBefore
        self.notAfter = notAfter
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        notBefore = try reader.read()
        notAfter = try reader.read()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(notBefore)
        writer.write(notAfter)
    }

    /// From the first to the last moment, in seconds; none when it never begins.
    package var total: UInt64 { notAfter < notBefore ? 0 : notAfter - notBefore }

    package func contains(_ now: UInt64) -> Bool { notBefore <= now && now <= notAfter }
}
