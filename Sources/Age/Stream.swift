/// The payload: chunks of 64 KiB, each sealed under a nonce that holds its number and whether it is the last one.
enum Stream {
    static let chunk = 64 << 10
    static let sealedChunk = chunk + Primitives.tagLength
    /// The bytes before the chunks, for the payload key.
    static let nonceLength = 16

    static func key(_ fileKey: SecretBytes, nonce: [UInt8]) throws(AgeError) -> SecretBytes {
        try Primitives.hkdf(fileKey, salt: nonce, info: "payload")
    }

    /// 11 bytes of the chunk's number, and a byte that is 1 for the last chunk.
    static func nonce(_ number: UInt64, isLast: Bool) -> [UInt8] {
        var nonce = [UInt8](repeating: 0, count: Primitives.nonceLength)
        for index in 0..<8 { nonce[10 - index] = UInt8(truncatingIfNeeded: number >> UInt64(8 * index)) }
        nonce[11] = isLast ? 1 : 0
        return nonce
    }
}
