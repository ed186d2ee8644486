import COpenSSL
import MLS

/// The group a DHKEM works in (RFC 9180 §4.1 and §7.1).
protocol DiffieHellmanGroup: Sendable {
    /// The KEM's number in RFC 9180 §7.1.
    var kemIdentifier: UInt16 { get }
    /// `Nsk` in bytes.
    var privateKeyLength: Int { get }
    /// `Nsecret` in bytes.
    var sharedSecretLength: Int { get }

    /// How DeriveKeyPair picks private keys among what it derives (RFC 9180 §7.1.3).
    var derivation: DHKEM.Derivation { get }
    func isPrivateKey(_ raw: Secret) -> Bool
    /// - Throws: `invalidKey`.
    func key(raw: Secret) throws(MLSError) -> HPKEPrivateKey
    /// Whether a private key is one of this group and provider.
    func owns(_ key: HPKEPrivateKey) -> Bool
    func isValidPublicKey(_ key: [UInt8]) -> Bool
    /// - Throws: `invalidKey` for a public key that is not valid or of small order.
    func agree(_ key: HPKEPrivateKey, with publicKey: [UInt8]) throws(MLSError) -> Secret
}

/// X25519 and X448 (RFC 7748).
struct MontgomeryCurve: DiffieHellmanGroup {
    enum Name: String {
        case x25519 = "X25519"
        case x448 = "X448"
    }

    let name: Name

    init(_ name: Name) { self.name = name }

    var kemIdentifier: UInt16 { name == .x25519 ? 0x0020 : 0x0021 }
    /// A public key and a shared point have the same length.
    var privateKeyLength: Int { name == .x25519 ? 32 : 56 }
    var sharedSecretLength: Int { name == .x25519 ? 32 : 64 }
    var derivation: DHKEM.Derivation { .direct }

    func isPrivateKey(_ raw: Secret) -> Bool { raw.count == privateKeyLength }

    func key(raw: Secret) throws(MLSError) -> HPKEPrivateKey {
        let object = try KeyObject.rawPrivate(raw, algorithm: name.rawValue)
        let publicKey = try object.rawPublicKey(length: privateKeyLength)
        return HPKEPrivateKey(publicKey: publicKey, raw: raw, prepared: object)
    }

    func owns(_ key: HPKEPrivateKey) -> Bool { (key.prepared as? KeyObject)?.algorithm == name.rawValue }

    func isValidPublicKey(_ key: [UInt8]) -> Bool { key.count == privateKeyLength }

    func agree(_ key: HPKEPrivateKey, with publicKey: [UInt8]) throws(MLSError) -> Secret {
        let peer = try KeyObject.rawPublic(publicKey, algorithm: name.rawValue)
        return try keyObject(key.prepared, algorithm: name.rawValue).derive(with: peer, length: privateKeyLength)
    }
}

extension NISTCurve: DiffieHellmanGroup {
    var kemIdentifier: UInt16 {
        switch name {
        case .p256: 0x0010
        case .p384: 0x0011
        case .p521: 0x0012
        }
    }

    var privateKeyLength: Int { fieldLength }
    /// That of the KEM's hash.
    var sharedSecretLength: Int { name == .p521 ? 64 : fieldLength }
    var derivation: DHKEM.Derivation { .candidates(firstByteMask: candidateMask) }

    func isPrivateKey(_ raw: Secret) -> Bool { isScalar(raw) }

    func key(raw: Secret) throws(MLSError) -> HPKEPrivateKey {
        let scalar = try paddedScalar(raw)
        let pair = try keyPair(scalar: scalar)
        return HPKEPrivateKey(publicKey: pair.publicKey, raw: scalar, prepared: pair.object)
    }

    func owns(_ key: HPKEPrivateKey) -> Bool { (key.prepared as? KeyObject)?.algorithm == name.rawValue }

    func isValidPublicKey(_ key: [UInt8]) -> Bool {
        do {
            _ = try publicKeyObject(key)
            return true
        } catch {
            return false
        }
    }

    func agree(_ key: HPKEPrivateKey, with publicKey: [UInt8]) throws(MLSError) -> Secret {
        let peer = try publicKeyObject(publicKey)
        return try keyObject(key.prepared, algorithm: name.rawValue).derive(with: peer, length: fieldLength)
    }
}

/// The prepared form of a key, which must be of this provider and of the right algorithm.
func keyObject(_ prepared: any AnyObject & Sendable, algorithm: String) throws(MLSError) -> KeyObject {
    guard let object = prepared as? KeyObject, object.algorithm == algorithm else {
        throw MLSError(.invalidKey, "a private key is not one of \(algorithm)")
    }
    return object
}
