import COpenSSL
import MLS

/// A signature scheme as TLS 1.3 names them (RFC 8446 §4.2.3), which is how MLS uses them.
protocol SignatureScheme: Sendable {
    /// The digest OpenSSL is to use first; nil when the scheme brings its own.
    var digest: OpaquePointer? { get }
    /// The name a prepared key carries.
    var algorithm: String { get }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey
    /// - Throws: `invalidKey`.
    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey
    /// - Throws: `invalidKey`.
    func publicKeyObject(_ publicKey: [UInt8]) throws(MLSError) -> KeyObject
}

extension SignatureScheme {
    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] {
        let object = try keyObject(key.prepared, algorithm: algorithm)
        let context = try made(EVP_MD_CTX_new(), "no memory for a signature")
        defer { EVP_MD_CTX_free(context) }
        try check(EVP_DigestSignInit(context, nil, digest, nil, object.pointer), "beginning a signature")
        var signature = [UInt8](repeating: 0, count: Int(EVP_PKEY_get_size(object.pointer)))
        var count = signature.count
        let signed = message.withBytes { message in
            signature.withMutableBytes { EVP_DigestSign(context, $0.uint8, &count, message.uint8, message.count) }
        }
        try check(signed, "signing")
        signature.removeLast(signature.count - count)
        return signature
    }

    /// False also for a public key that is not valid.
    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool {
        do throws(MLSError) {
            let object = try publicKeyObject(publicKey)
            let context = try made(EVP_MD_CTX_new(), "no memory for a signature")
            defer { EVP_MD_CTX_free(context) }
            try check(EVP_DigestVerifyInit(context, nil, digest, nil, object.pointer), "beginning to verify")
            let verified = message.withBytes { message in
                signature.withBytes { EVP_DigestVerify(context, $0.uint8, $0.count, message.uint8, message.count) }
            }
            try check(verified, "a signature does not verify", code: .invalidSignature)
            return true
        } catch {
            return false
        }
    }
}

/// Ed25519 and Ed448 (RFC 8032).
struct EdDSA: SignatureScheme {
    enum Name: String {
        case ed25519 = "ED25519"
        case ed448 = "ED448"
    }

    let name: Name

    init(_ name: Name) { self.name = name }

    var digest: OpaquePointer? { nil }
    var algorithm: String { name.rawValue }
    /// Public keys have the same length.
    private var keyLength: Int { name == .ed25519 ? 32 : 57 }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        try key(raw: entropy.secret(keyLength))
    }

    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey {
        let object = try KeyObject.rawPrivate(raw, algorithm: algorithm)
        return SignaturePrivateKey(
            publicKey: try object.rawPublicKey(length: keyLength), raw: raw, prepared: object)
    }

    func publicKeyObject(_ publicKey: [UInt8]) throws(MLSError) -> KeyObject {
        try KeyObject.rawPublic(publicKey, algorithm: algorithm)
    }
}

/// ECDSA with signatures in DER.
struct ECDSA: SignatureScheme {
    let curve: NISTCurve
    let hash: HashFunction

    var digest: OpaquePointer? { hash.digest }
    var algorithm: String { curve.name.rawValue }

    func generateKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        // A candidate is out of range less than once in 2^32 times, so this ends unless the source always says the same.
        for _ in 0..<64 {
            let candidate = entropy.secret(curve.fieldLength).maskingFirstByte(curve.candidateMask)
            if curve.isScalar(candidate) { return try key(raw: candidate) }
        }
        throw MLSError(.cryptoFailure, "the entropy source gives no private key")
    }

    func key(raw: Secret) throws(MLSError) -> SignaturePrivateKey {
        let scalar = try curve.paddedScalar(raw)
        let pair = try curve.keyPair(scalar: scalar)
        return SignaturePrivateKey(publicKey: pair.publicKey, raw: scalar, prepared: pair.object)
    }

    func publicKeyObject(_ publicKey: [UInt8]) throws(MLSError) -> KeyObject {
        try curve.publicKeyObject(publicKey)
    }
}
