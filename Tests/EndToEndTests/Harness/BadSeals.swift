import MLS
import MLSOpenSSL
import Synchronization

/// The crypto of a client that seals something wrong to its victims. Everything else about its commits is right.
final class BadSeals: CryptoProvider {
    private let good = OpenSSLProvider()
    private let victims = Mutex<Set<[UInt8]>>([])

    /// From now on, what is sealed to this HPKE key is wrong.
    func spoil(for publicKey: [UInt8]) { victims.withLock { _ = $0.insert(publicKey) } }

    func suite(_ suite: CipherSuite) throws(MLSError) -> any SuiteCrypto {
        BadSeal(good: try good.suite(suite), seals: self)
    }

    /// What is sealed to a key in place of a secret.
    fileprivate func sealed(_ secret: Secret, to publicKey: [UInt8]) -> Secret {
        guard victims.withLock({ $0.contains(publicKey) }) else { return secret }
        return Secret(secret.unwipedCopy.map { $0 ^ 0x5A })
    }
}

private struct BadSeal: SuiteCrypto {
    let good: any SuiteCrypto
    let seals: BadSeals

    func hpkeSeal(
        to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        let secret = seals.sealed(plaintext, to: publicKey)
        return try good.hpkeSeal(to: publicKey, info: info, aad: aad, secret, entropy)
    }

    // MARK: As it should be

    var suite: CipherSuite { good.suite }
    func hash(_ data: [UInt8]) -> [UInt8] { good.hash(data) }
    func mac(key: Secret, _ data: [UInt8]) -> [UInt8] { good.mac(key: key, data) }
    func extract(salt: Secret, ikm: Secret) -> Secret { good.extract(salt: salt, ikm: ikm) }
    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret { good.expand(prk: prk, info: info, length: length) }

    func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: [UInt8]) throws(MLSError) -> [UInt8] {
        try good.seal(key: key, nonce: nonce, aad: aad, plaintext)
    }

    func open(key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8]) throws(MLSError) -> [UInt8] {
        try good.open(key: key, nonce: nonce, aad: aad, ciphertext)
    }

    func generateSignatureKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        try good.generateSignatureKey(entropy)
    }

    func signatureKey(raw: Secret) throws(MLSError) -> SignaturePrivateKey { try good.signatureKey(raw: raw) }

    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] {
        try good.sign(key, message)
    }

    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool {
        good.verify(publicKey: publicKey, message, signature: signature)
    }

    func deriveHPKEKey(ikm: Secret) throws(MLSError) -> HPKEPrivateKey { try good.deriveHPKEKey(ikm: ikm) }
    func hpkeKey(raw: Secret) throws(MLSError) -> HPKEPrivateKey { try good.hpkeKey(raw: raw) }
    func isValidHPKEPublicKey(_ key: [UInt8]) -> Bool { good.isValidHPKEPublicKey(key) }

    func hpkeOpen(
        _ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8]
    ) throws(MLSError) -> Secret {
        try good.hpkeOpen(ciphertext, with: key, info: info, aad: aad)
    }

    func hpkeSendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    ) throws(MLSError) -> (enc: [UInt8], secret: Secret) {
        try good.hpkeSendExport(to: publicKey, info: info, context: context, length: length, entropy)
    }

    func hpkeReceiveExport(
        enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int
    ) throws(MLSError) -> Secret {
        try good.hpkeReceiveExport(enc: enc, with: key, info: info, context: context, length: length)
    }
}
