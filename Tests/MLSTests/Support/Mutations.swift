import MLS
import Testing

/// Feeds a decoder every truncation of valid bytes, and each byte changed; whatever it accepts must write back as it
/// was read.
///
/// - Parameter step: looks only at every `step`th place, for long encodings.
func checkMutations<T: TLSDecodable & TLSEncodable>(of valid: [UInt8], as _: T.Type, step: Int = 1) throws {
    #expect(try T(decoding: valid).encoded == valid)
    expectError(.malformed, "a byte too many") { try T(decoding: valid + [0]) }
    for end in stride(from: 0, to: valid.count, by: step) {
        #expect(throws: MLSError.self, "cut at \(end)") { try T(decoding: valid[..<end]) }
    }
    var bytes = valid
    for place in stride(from: 0, to: valid.count, by: step) {
        for change in [0x01, 0x80, 0xFF] as [UInt8] {
            bytes[place] = valid[place] ^ change
            if let value = try? T(decoding: bytes) { #expect(value.encoded == bytes, "changed at \(place)") }
        }
        bytes[place] = valid[place]
    }
}

/// Feeds a decoder bytes that mean nothing.
func checkNoise<T: TLSDecodable & TLSEncodable>(as _: T.Type, rounds: Int = 2_000) {
    let entropy = SeededEntropy(seed: 7)
    for _ in 0..<rounds {
        let noise = entropy.bytes(entropy.below(200))
        if let value = try? T(decoding: noise) { #expect(value.encoded == noise) }
    }
}
