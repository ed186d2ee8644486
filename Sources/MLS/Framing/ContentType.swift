/// What a framed message carries (RFC 9420 §6).
package enum ContentType: UInt8, Hashable, Sendable, TLSEncodable, TLSDecodable {
    case application = 1
    case proposal = 2
    case commit = 3

    package init(from reader: inout TLSReader) throws(MLSError) {
        let raw: UInt8 = try reader.read()
        guard let type = ContentType(rawValue: raw) else {
            throw MLSError(.malformed, "content type \(raw) does not exist")
        }
        self = type
    }

    package func encode(to writer: inout TLSWriter) { writer.write(rawValue) }
}

/// How an MLSMessage is wrapped (RFC 9420 §17.2).
package enum WireFormat: UInt16, Hashable, Sendable, TLSEncodable, TLSDecodable {
    case publicMessage = 1
    case privateMessage = 2
    case welcome = 3
    case groupInfo = 4
    case keyPackage = 5

    package init(from reader: inout TLSReader) throws(MLSError) {
        let raw: UInt16 = try reader.read()
        guard let format = WireFormat(rawValue: raw) else { throw MLSError(.unsupported, "wire format \(raw)") }
        self = format
    }

    package func encode(to writer: inout TLSWriter) { writer.write(rawValue) }
}
