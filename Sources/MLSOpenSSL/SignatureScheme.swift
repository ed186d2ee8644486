import COpenSSL
import MLS

/// A signature scheme as TLS 1.3 names them (RFC 8446 §4.2.3), which is how MLS uses them.
protocol SignatureScheme: Sendable {
    /// The digest that OpenSSL should use first; nil if the scheme brings its own.
    var digest: OpaquePointer? { get }
    /// The name in a prepared key.
    var algorithm: String { get }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey
    /// - Throws: `invalidKey`.
    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey
    /// - Throws: `invalidKey` for a public key that is not valid.
    func holds(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) throws(MLSError) -> Bool
}

extension SignatureScheme {
    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] {
        guard let signer = key.prepared as? SigningKey, signer.algorithm == algorithm else {
            throw MLSError(.invalidKey, "a private key is not one of \(algorithm)")
        }
        return try signer.sign(message)
    }

    /// False also for a public key that is not valid.
    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool {
        do throws(MLSError) {
            return try holds(publicKey: publicKey, message, signature: signature)
        } catch {
            return false
        }
    }
}

/// A private signature key in a context that is ready to sign.
///
/// The context itself is only copied, never used, so it is safe to share between threads.
final class SigningKey: @unchecked Sendable {
    let algorithm: String
    private let context: OpaquePointer
    private let signatureLength: Int

    init(_ key: KeyObject, digest: OpaquePointer?) throws(MLSError) {
        algorithm = key.algorithm
        signatureLength = Int(EVP_PKEY_get_size(key.pointer))
        context = try made(EVP_MD_CTX_new(), "no memory for a signature")
        try check(EVP_DigestSignInit(context, nil, digest, nil, key.pointer), "beginning a signature")
    }

    deinit { EVP_MD_CTX_free(context) }

    func sign(_ message: [UInt8]) throws(MLSError) -> [UInt8] {
        let copy = try made(EVP_MD_CTX_new(), "no memory for a signature")
        defer { EVP_MD_CTX_free(copy) }
        try check(EVP_MD_CTX_copy_ex(copy, context), "beginning a signature")
        var signature = [UInt8](repeating: 0, count: signatureLength)
        var count = signature.count
        let signed = message.withBytes { message in
            signature.withMutableBytes { EVP_DigestSign(copy, $0.uint8, &count, message.uint8, message.count) }
        }
        try check(signed, "signing")
        signature.removeLast(signature.count - count)
        return signature
    }
}

/// Ed25519 and Ed448 (RFC 8032).
struct EdDSA: SignatureScheme {
    enum Name: String {
        case ed25519 = "ED25519"
        case ed448 = "ED448"
    }

    private let keys: RawKeyAlgorithm
    /// Private and public keys have the same length.
    private let keyLength: Int

    init(_ name: Name) {
        keys = RawKeyAlgorithm(name.rawValue)
        keyLength = name == .ed25519 ? 32 : 57
    }

    var digest: OpaquePointer? { nil }
    var algorithm: String { keys.name }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        try key(raw: entropy.secret(keyLength))
    }

    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey {
        let object = try keys.privateKey(raw)
        return SignaturePrivateKey(
            publicKey: try keys.publicBytes(object, length: keyLength), raw: raw,
            prepared: try SigningKey(object, digest: digest))
    }

    func holds(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) throws(MLSError) -> Bool {
        let key = try keys.publicKey(publicKey)
        let context = try made(EVP_MD_CTX_new(), "no memory for a signature")
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestVerifyInit(context, nil, nil, nil, key.pointer), "beginning to verify")
        let verified = message.withBytes { message in
            signature.withBytes { EVP_DigestVerify(context, $0.uint8, $0.count, message.uint8, message.count) }
        }
        if verified != 1 { ERR_clear_error() }
        return verified == 1
    }
}

/// ECDSA with signatures in DER.
struct ECDSA: SignatureScheme {
    let curve: NISTCurve
    let hash: HashFunction

    var digest: OpaquePointer? { hash.digest }
    var algorithm: String { curve.name.rawValue }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        // A candidate is out of range less than once in 2^32 times, so this ends unless the source always returns the
        // same.
        for _ in 0..<64 {
            let candidate = entropy.secret(curve.fieldLength).maskingFirstByte(curve.candidateMask)
            if curve.isScalar(candidate) { return try key(raw: candidate) }
        }
        throw MLSError(.cryptoFailure, "the entropy source gives no private key")
    }

    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey {
        let scalar = try curve.scalar(raw)
        let publicKey = try curve.publicKey(of: scalar)
        return SignaturePrivateKey(
            publicKey: publicKey, raw: scalar.raw,
            prepared: try SigningKey(curve.keyObject(publicKey: publicKey, scalar: scalar), digest: digest))
    }

    func holds(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) throws(MLSError) -> Bool {
        try curve.verify(publicKey: publicKey, digest: hash.hash(message), signature: signature)
    }
}
