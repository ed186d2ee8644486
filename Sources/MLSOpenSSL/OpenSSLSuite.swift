import COpenSSL
import MLS

/// One cipher suite: its hash, AEAD, signature scheme and HPKE.
struct OpenSSLSuite: SuiteCrypto {
    let suite: CipherSuite
    private let hashFunction: HashFunction
    private let aead: AEAD
    private let signatures: any SignatureScheme
    private let hpke: HPKE
    var spreading = Spreading(threads: 1)

    /// Nil if this OpenSSL lacks an algorithm of the suite.
    init?(_ suite: CipherSuite) {
        self.suite = suite
        guard let hash = HashFunction(name: Self.hashName(suite), length: suite.hashLength),
            let aead = AEAD(Self.aeadAlgorithm(suite)),
            let signatures = Self.signatureScheme(suite, hash: hash),
            let group = Self.diffieHellman(suite)
        else { return nil }
        self.hashFunction = hash
        self.aead = aead
        self.signatures = signatures
        self.hpke = HPKE(kem: DHKEM(group: group, hash: hash), hash: hash, aead: aead)
    }

    private static func hashName(_ suite: CipherSuite) -> String {
        switch suite.hashLength {
        case 32: "SHA2-256"
        case 48: "SHA2-384"
        default: "SHA2-512"
        }
    }

    private static func aeadAlgorithm(_ suite: CipherSuite) -> AEAD.Algorithm {
        switch suite {
        case .x25519_aes128gcm_sha256_ed25519, .p256_aes128gcm_sha256_p256: .aes128GCM
        case .x448_aes256gcm_sha512_ed448, .p521_aes256gcm_sha512_p521, .p384_aes256gcm_sha384_p384: .aes256GCM
        case .x25519_chacha20poly1305_sha256_ed25519, .x448_chacha20poly1305_sha512_ed448: .chaCha20Poly1305
        }
    }

    private static func signatureScheme(_ suite: CipherSuite, hash: HashFunction) -> (any SignatureScheme)? {
        switch suite {
        case .x25519_aes128gcm_sha256_ed25519, .x25519_chacha20poly1305_sha256_ed25519: EdDSA(.ed25519)
        case .x448_aes256gcm_sha512_ed448, .x448_chacha20poly1305_sha512_ed448: EdDSA(.ed448)
        case .p256_aes128gcm_sha256_p256: NISTCurve(.p256).map { ECDSA(curve: $0, hash: hash) }
        case .p384_aes256gcm_sha384_p384: NISTCurve(.p384).map { ECDSA(curve: $0, hash: hash) }
        case .p521_aes256gcm_sha512_p521: NISTCurve(.p521).map { ECDSA(curve: $0, hash: hash) }
        }
    }

    private static func diffieHellman(_ suite: CipherSuite) -> (any DiffieHellmanGroup)? {
        switch suite {
        case .x25519_aes128gcm_sha256_ed25519, .x25519_chacha20poly1305_sha256_ed25519: MontgomeryCurve(.x25519)
        case .x448_aes256gcm_sha512_ed448, .x448_chacha20poly1305_sha512_ed448: MontgomeryCurve(.x448)
        case .p256_aes128gcm_sha256_p256: NISTCurve(.p256)
        case .p384_aes256gcm_sha384_p384: NISTCurve(.p384)
        case .p521_aes256gcm_sha512_p521: NISTCurve(.p521)
        }
    }

    // MARK: Hash and key derivation

    func hash(_ data: [UInt8]) -> [UInt8] { hashFunction.hash(data) }
    func mac(key: Secret, _ data: [UInt8]) -> [UInt8] { hashFunction.mac(key: key, data) }
    func extract(salt: Secret, ikm: Secret) -> Secret { hashFunction.extract(salt: salt, ikm) }

    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret {
        hashFunction.expand(prk: prk, info: info, length: length)
    }

    // MARK: AEAD

    func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: [UInt8]) throws(MLSError) -> [UInt8] {
        try plaintext.withBytes { bytes throws(MLSError) in
            try aead.seal(key: key, nonce: nonce, aad: aad, bytes)
        }
    }

    func open(key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8]) throws(MLSError) -> [UInt8] {
        var plaintext = [UInt8](repeating: 0, count: try aead.plaintextLength(ciphertext))
        try plaintext.withMutableBytes { bytes throws(MLSError) in
            try aead.open(key: key, nonce: nonce, aad: aad, ciphertext, into: bytes)
        }
        return plaintext
    }

    // MARK: Signatures

    func generateSignatureKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        try signatures.generateKey(entropy)
    }

    func signatureKey(raw: Secret) throws(MLSError) -> SignaturePrivateKey { try signatures.key(raw: raw) }

    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] {
        try signatures.sign(key, message)
    }

    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool {
        signatures.verify(publicKey: publicKey, message, signature: signature)
    }

    func firstInvalid(_ claims: [SignatureClaim]) -> Int? {
        let scheme = signatures
        return spreading.map(claims) { scheme.verify(publicKey: $0.publicKey, $0.message, signature: $0.signature) }
            .firstIndex(of: false)
    }

    // MARK: HPKE

    func deriveHPKEKey(ikm: Secret) throws(MLSError) -> HPKEPrivateKey { try hpke.kem.deriveKeyPair(ikm: ikm) }
    func hpkeKey(raw: Secret) throws(MLSError) -> HPKEPrivateKey { try hpke.kem.group.key(raw: raw) }
    func hpkeKey(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey {
        try hpke.kem.group.key(raw: raw, publicKey: publicKey)
    }

    func isValidHPKEPublicKey(_ key: [UInt8]) -> Bool { hpke.kem.group.isValidPublicKey(key) }

    func hpkeSeal(
        to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        try hpke.seal(to: publicKey, info: info, aad: aad, plaintext, entropy)
    }

    func hpkeSeal(
        _ parcels: [HPKEParcel], info: [UInt8], aad: [UInt8], _ entropy: any EntropySource
    ) throws(MLSError) -> [HPKECiphertext] {
        try hpke.seal(parcels, info: info, aad: aad, entropy, spreading: spreading)
    }

    func hpkeOpen(_ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8])
        throws(MLSError) -> Secret
    {
        try hpke.open(ciphertext, with: key, info: info, aad: aad)
    }

    func hpkeSendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    ) throws(MLSError) -> (enc: [UInt8], secret: Secret) {
        try hpke.sendExport(to: publicKey, info: info, context: context, length: length, entropy)
    }

    func hpkeReceiveExport(enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int)
        throws(MLSError) -> Secret
    {
        try hpke.receiveExport(enc: enc, with: key, info: info, context: context, length: length)
    }
}
