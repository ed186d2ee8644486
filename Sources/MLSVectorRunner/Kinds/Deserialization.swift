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
        if vector.length > Limits.vectorLength {
            // A valid header that announces more than we take; only the reason for the refusal can be checked.
            let refusal = Result { () throws(MLSError) in try reader.readLength() }
            try expectEqual(refusal, .failure(MLSError(.tooLarge, "")), "the answer to a length beyond the limit")
            return
        }
        let length = try reader.readLength()
        try reader.expectEnd()
        try expectEqual(length, vector.length, "the length")
        var writer = TLSWriter()
        writer.writeLength(vector.length)
        try expectEqual(Hex(writer.bytes), vector.vlbytes_header, "the header written again")
    }
}
