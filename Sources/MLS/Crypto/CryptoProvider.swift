/// Provides the primitives of each cipher suite.
public protocol CryptoProvider: Sendable {
    /// - Throws: `unsupported` for a suite it does not offer.
    func suite(_ suite: CipherSuite) throws(MLSError) -> any SuiteCrypto
}

/// The primitives of one cipher suite (RFC 9420 §5.1). All methods may be called from any thread.
public protocol SuiteCrypto: Sendable {
    var suite: CipherSuite { get }

    func hash(_ data: [UInt8]) -> [UInt8]
    /// HMAC with the suite's hash.
    func mac(key: Secret, _ data: [UInt8]) -> [UInt8]
    /// HKDF-Extract.
    func extract(salt: Secret, ikm: Secret) -> Secret
    /// HKDF-Expand; `length` is at most 255 hash lengths.
    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret

    /// AEAD; the result is the ciphertext with its 16 byte tag behind it.
    func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: [UInt8]) throws(MLSError) -> [UInt8]
    /// - Throws: `decryptionFailed` when the tag does not match.
    func open(key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8]) throws(MLSError) -> [UInt8]

    func generateSignatureKey(_ entropy: any EntropySource) throws(MLSError) -> SignaturePrivateKey
    /// A key from its raw private bytes (for NIST curves the scalar, left-padded as need be).
    func signatureKey(raw: Secret) throws(MLSError) -> SignaturePrivateKey
    func sign(_ key: SignaturePrivateKey, _ message: [UInt8]) throws(MLSError) -> [UInt8]
    func verify(publicKey: [UInt8], _ message: [UInt8], signature: [UInt8]) -> Bool
    /// The index of the first claim that is not valid; nil if all are. A provider may check several at once.
    func firstInvalid(_ claims: [SignatureClaim]) -> Int?

    /// DeriveKeyPair of the suite's KEM (RFC 9180 §7.1.3).
    func deriveHPKEKey(ikm: Secret) throws(MLSError) -> HPKEPrivateKey
    /// A key from its raw private bytes.
    func hpkeKey(raw: Secret) throws(MLSError) -> HPKEPrivateKey
    /// A key of one's own whose public half was stored beside it. If they do not belong together, this may show only
    /// when the key is used and decryption fails.
    ///
    /// - Throws: `invalidKey`.
    func hpkeKey(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey
    /// Whether the bytes are a public key the KEM accepts.
    func isValidHPKEPublicKey(_ key: [UInt8]) -> Bool
    /// HPKE single-shot seal in base mode (RFC 9180 §6.1).
    ///
    /// MLS seals nothing but secrets with HPKE, so the plaintext is one.
    func hpkeSeal(to publicKey: [UInt8], info: [UInt8], aad: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource)
        throws(MLSError) -> HPKECiphertext
    /// Several seals that share their info, in the order of the parcels. A provider may make several at once. It draws
    /// its randomness before, in their order, so that the results equal those of sequential seals.
    func hpkeSeal(_ parcels: [HPKEParcel], info: [UInt8], aad: [UInt8], _ entropy: any EntropySource)
        throws(MLSError) -> [HPKECiphertext]
    /// - Throws: `decryptionFailed`, also for an encapsulated key that is not valid.
    func hpkeOpen(_ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, info: [UInt8], aad: [UInt8])
        throws(MLSError) -> Secret
    /// HPKE export in base mode: the encapsulated key and the exported secret (RFC 9420 §8.3).
    func hpkeSendExport(
        to publicKey: [UInt8], info: [UInt8], context: [UInt8], length: Int, _ entropy: any EntropySource
    )
        throws(MLSError) -> (enc: [UInt8], secret: Secret)
    func hpkeReceiveExport(
        enc: [UInt8], with key: HPKEPrivateKey, info: [UInt8], context: [UInt8], length: Int
    )
        throws(MLSError) -> Secret
}

/// A signature with what it should cover, still to be verified.
public struct SignatureClaim: Sendable {
    public let publicKey: [UInt8]
    public let message: [UInt8]
    public let signature: [UInt8]

    public init(publicKey: [UInt8], message: [UInt8], signature: [UInt8]) {
        self.publicKey = publicKey
        self.message = message
        self.signature = signature
    }
}

/// A secret and the key to seal it to.
public struct HPKEParcel: Sendable {
    public let publicKey: [UInt8]
    public let plaintext: Secret

    public init(publicKey: [UInt8], plaintext: Secret) {
        self.publicKey = publicKey
        self.plaintext = plaintext
    }
}

/// For providers that have nothing better.
extension SuiteCrypto {
    /// Checks one claim after the other.
    public func firstInvalid(_ claims: [SignatureClaim]) -> Int? {
        claims.firstIndex { !verify(publicKey: $0.publicKey, $0.message, signature: $0.signature) }
    }

    /// Makes the key at once, and looks at its public half.
    public func hpkeKey(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey {
        let key = try hpkeKey(raw: raw)
        if key.publicKey != publicKey {
            throw MLSError(.invalidKey, "a private key that is not that of its public key")
        }
        return key
    }

    /// Makes one seal after the other.
    public func hpkeSeal(_ parcels: [HPKEParcel], info: [UInt8], aad: [UInt8], _ entropy: any EntropySource)
        throws(MLSError) -> [HPKECiphertext]
    {
        var sealed: [HPKECiphertext] = []
        for parcel in parcels {
            sealed.append(try hpkeSeal(to: parcel.publicKey, info: info, aad: aad, parcel.plaintext, entropy))
        }
        return sealed
    }
}

/// A private signature key with its public half, and the provider's prepared form of it.
///
/// Making the prepared form from raw bytes costs as much as a signature, so it is made once.
public final class SignaturePrivateKey: Sendable {
    public let publicKey: [UInt8]
    public let raw: Secret
    /// The provider's own object.
    public let prepared: any AnyObject & Sendable

    public init(publicKey: [UInt8], raw: Secret, prepared: any AnyObject & Sendable) {
        self.publicKey = publicKey
        self.raw = raw
        self.prepared = prepared
    }
}

/// A private HPKE key with its public half, and the provider's prepared form of it.
public final class HPKEPrivateKey: Sendable {
    public let publicKey: [UInt8]
    public let raw: Secret
    public let prepared: any AnyObject & Sendable

    public init(publicKey: [UInt8], raw: Secret, prepared: any AnyObject & Sendable) {
        self.publicKey = publicKey
        self.raw = raw
        self.prepared = prepared
    }
}

/// What HPKE makes of a plaintext (RFC 9420 §7.6).
public struct HPKECiphertext: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public var kemOutput: [UInt8]
    public var ciphertext: [UInt8]

    public init(kemOutput: [UInt8], ciphertext: [UInt8]) {
        self.kemOutput = kemOutput
        self.ciphertext = ciphertext
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        kemOutput = try reader.readOpaque()
        ciphertext = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(kemOutput)
        writer.writeOpaque(ciphertext)
    }
}
