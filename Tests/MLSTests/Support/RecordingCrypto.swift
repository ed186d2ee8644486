import MLS
import Synchronization

/// A suite that remembers every secret it has made, with its label, to look for them where they should not be.
final class RecordingCrypto: SuiteCrypto {
    /// A secret, and what it is.
    struct Record: Sendable {
        enum Kind: Hashable, Sendable {
            /// Derived under a label of RFC 9420, without `MLS 1.0 ` in front.
            case derived(String)
            /// The private half of an HPKE key.
            case privateKey(publicKey: [UInt8])
            /// What an HPKE ciphertext held: a path secret, or the secrets of a Welcome.
            case unsealed
        }

        let kind: Kind
        let bytes: [UInt8]
    }

    private let base: any SuiteCrypto
    private let list = Mutex<[Record]>([])
    private let verified = Mutex(0)

    init(_ base: any SuiteCrypto) { self.base = base }

    /// All so far, oldest first.
    var records: [Record] { list.withLock { $0 } }

    /// How many signatures have been checked.
    var verifications: Int { verified.withLock { $0 } }

    var suite: CipherSuite { base.suite }

    private func remember(_ kind: Record.Kind, _ secret: Secret) {
        list.withLock { $0.append(Record(kind: kind, bytes: secret.unwipedCopy)) }
    }

    func hash(_ data: [UInt8]) -> [UInt8] { base.hash(data) }
    func mac(key: Secret, _ data: [UInt8]) -> [UInt8] { base.mac(key: key, data) }

    func extract(salt: Secret, ikm: Secret) -> Secret {
        let secret = base.extract(salt: salt, ikm: ikm)
        remember(.derived("extract"), secret)
        return secret
    }

    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret {
        let secret = base.expand(prk: prk, info: info, length: length)
        remember(.derived(Self.label(info)), secret)
        return secret
    }

    /// KDFLabel: two bytes of length, then the label.
    private static func label(_ info: [UInt8]) -> String {
        var reader = TLSReader(info.dropFirst(2))
        guard let label = try? reader.readOpaque() else { return "" }
        return String(decoding: label.dropFirst("MLS 1.0 ".utf8.count), as: UTF8.self)
    }

    func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: [UInt8]) throws(MLSError) -> [UInt8] {
        try base.seal(key: key, nonce: nonce, aad: aad, plaintext)
    }

    func open(key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8]) throws(MLSError) -> [UInt8] {
        try base.open(key: key, nonce: nonce, aad: aad, ciphertext)
    }

    func generateSignatureKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey {
        let key = try base.generateSignatureKey(entropy)
        // It belongs to the caller: nowhere in the state of any group.
        remember(.derived("signature"), key.raw)
        return key
    }

    func signatureKey(raw: Secret) throws(MLSError) -> SignaturePrivateKey { try base.signatureKey(raw: raw) }
    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8] {
        try base.sign(key, message)
    }
    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool {
        verified.withLock { $0 += 1 }
        return base.verify(publicKey: publicKey, message, signature: signature)
    }

    func deriveHPKEKey(ikm: Secret) throws(MLSError) -> HPKEPrivateKey {
        let key = try base.deriveHPKEKey(ikm: ikm)
        remember(.privateKey(publicKey: key.publicKey), key.raw)
        return key
    }

    func hpkeKey(raw: Secret) throws(MLSError) -> HPKEPrivateKey { try base.hpkeKey(raw: raw) }
    func isValidHPKEPublicKey(_ key: [UInt8]) -> Bool { base.isValidHPKEPublicKey(key) }

    func hpkeSeal(
        to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        try base.hpkeSeal(to: publicKey, info: info, aad: aad, plaintext, entropy)
    }

    func hpkeOpen(
        _ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8]
    ) throws(MLSError) -> Secret {
        let secret = try base.hpkeOpen(ciphertext, with: key, info: info, aad: aad)
        remember(.unsealed, secret)
        return secret
    }

    func hpkeSendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    ) throws(MLSError) -> (enc: [UInt8], secret: Secret) {
        let sent = try base.hpkeSendExport(to: publicKey, info: info, context: context, length: length, entropy)
        remember(.derived("external init"), sent.secret)
        return sent
    }

    func hpkeReceiveExport(
        enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int
    ) throws(MLSError) -> Secret {
        let secret = try base.hpkeReceiveExport(enc: enc, with: key, info: info, context: context, length: length)
        remember(.derived("external init"), secret)
        return secret
    }
}
