import MLS

/// Variable-length vector headers (RFC 9420 §2.1.2).
public enum Deserialization: VectorKind {
    public static let name = "deserialization"

    public struct Case: Decodable, Sendable {
        let vlbytes_header: Hex
        let length: Int
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        var reader = TLSReader(vector.vlbytes_header.bytes)
        // Whatever length it announces, before anyone checks whether we accept so much.
        let length = try reader.readHeader()
        try reader.expectEnd()
        try expectEqual(length, vector.length, "the length")
        if length > Limits.vectorLength {
            var reader = TLSReader(vector.vlbytes_header.bytes)
            let refusal = Result { () throws(MLSError) in try reader.readLength() }
            try expectEqual(refusal, .failure(MLSError(.tooLarge, "")), "the answer to a length beyond the limit")
        }
        var writer = TLSWriter()
        writer.writeLength(vector.length)
        try expectEqual(Hex(writer.bytes), vector.vlbytes_header, "the header written again")
    }
}
