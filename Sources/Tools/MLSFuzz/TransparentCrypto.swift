import MLS

/// A cipher suite that protects nothing: every signature, tag and ciphertext is valid, and plaintexts are readable.
///
/// With it, a changed message gets past the checks that would stop it at the first byte, so a fuzzer reaches the code
/// after them, where a hostile member's messages go. Never for anything but fuzzing.
public struct TransparentCrypto: SuiteCrypto {
    /// Whether all data has one hash. Then changed trees and transcripts fit, too, but no two objects have references
    /// of their own.
    public let hashesAreEqual: Bool

    public init(hashesAreEqual: Bool) {
        self.hashesAreEqual = hashesAreEqual
    }

    public var suite: CipherSuite { .x25519_aes128gcm_sha256_ed25519 }

    public func hash(_ data: [UInt8]) -> [UInt8] {
        hashesAreEqual ? [UInt8](repeating: 0, count: suite.hashLength) : Self.digest(data, count: suite.hashLength)
    }

    public func mac(key: Secret, _ data: [UInt8]) -> [UInt8] { [UInt8](repeating: 0, count: suite.hashLength) }

    public func extract(salt: Secret, ikm: Secret) -> Secret {
        Secret(Self.digest(salt.unwipedCopy + ikm.unwipedCopy, count: suite.hashLength))
    }

    public func expand(prk: Secret, info: [UInt8], length: Int) -> Secret {
        Secret(Self.digest(prk.unwipedCopy + info, count: length))
    }

    public func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: [UInt8]) throws(MLSError) -> [UInt8] {
        plaintext + [UInt8](repeating: 0, count: suite.aeadTagLength)
    }

    public func open(key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8]) throws(MLSError) -> [UInt8] {
        if ciphertext.count < suite.aeadTagLength { throw MLSError(.decryptionFailed, "shorter than its tag") }
        return Array(ciphertext.dropLast(suite.aeadTagLength))
    }

    public func generateSignatureKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        try signatureKey(raw: entropy.secret(Self.keyLength))
    }

    public func signatureKey(raw: Secret) throws(MLSError) -> SignaturePrivateKey {
        SignaturePrivateKey(publicKey: Self.publicKey(of: raw), raw: raw, prepared: Prepared())
    }

    public func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] { [1] }

    public func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool { true }

    public func deriveHPKEKey(ikm: Secret) throws(MLSError) -> HPKEPrivateKey {
        try hpkeKey(raw: Secret(Self.digest(ikm.unwipedCopy, count: Self.keyLength)))
    }

    public func hpkeKey(raw: Secret) throws(MLSError) -> HPKEPrivateKey {
        if raw.count != Self.keyLength { throw MLSError(.invalidKey, "a private key of \(raw.count) bytes") }
        return HPKEPrivateKey(publicKey: Self.publicKey(of: raw), raw: raw, prepared: Prepared())
    }

    public func isValidHPKEPublicKey(_ key: [UInt8]) -> Bool { key.count == Self.keyLength }

    public func hpkeSeal(
        to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        HPKECiphertext(
            kemOutput: [UInt8](repeating: 0, count: Self.keyLength),
            ciphertext: try seal(key: plaintext, nonce: [], aad: aad, plaintext.unwipedCopy))
    }

    public func hpkeOpen(
        _ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8]
    ) throws(MLSError) -> Secret {
        try checkEncapsulated(ciphertext.kemOutput)
        return Secret(try open(key: key.raw, nonce: [], aad: aad, ciphertext.ciphertext))
    }

    public func hpkeSendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    ) throws(MLSError) -> (enc: [UInt8], secret: Secret) {
        ([UInt8](repeating: 0, count: Self.keyLength), Secret(Self.digest(publicKey + context, count: length)))
    }

    public func hpkeReceiveExport(
        enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int
    ) throws(MLSError) -> Secret {
        try checkEncapsulated(enc)
        return Secret(Self.digest(key.publicKey + context, count: length))
    }

    private final class Prepared: Sendable {}

    private static let keyLength = 32

    private static func publicKey(of raw: Secret) -> [UInt8] { digest(raw.unwipedCopy + [0], count: keyLength) }

    private func checkEncapsulated(_ enc: [UInt8]) throws(MLSError) {
        if enc.count != Self.keyLength {
            throw MLSError(.decryptionFailed, "an encapsulated key of \(enc.count) bytes")
        }
    }

    /// FNV-1a, then stretched: quick, and different for different data unless someone tries to find a collision.
    private static func digest(_ data: [UInt8], count: Int) -> [UInt8] {
        var state: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in data { state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            state = (state ^ (state >> 29)) &* 0xBF58_476D_1CE4_E5B9 &+ 0x9E37_79B9_7F4A_7C15
            bytes.append(UInt8(truncatingIfNeeded: state >> 56))
        }
        return bytes
    }
}
