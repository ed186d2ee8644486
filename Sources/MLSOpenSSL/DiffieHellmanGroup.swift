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
    /// A key that comes with its public half, which is trusted.
    ///
    /// - Throws: `invalidKey` for a wrong length.
    func key(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey
    /// Whether a private key belongs to this group and provider.
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

    private let name: Name
    private let keys: RawKeyAlgorithm
    /// Key objects that are reused for one public key after the other.
    private let peers: Pool

    init(_ name: Name) {
        self.name = name
        let keys = RawKeyAlgorithm(name.rawValue)
        self.keys = keys
        let base = [9] + [UInt8](repeating: 0, count: name == .x25519 ? 31 : 55)
        peers = Pool(
            make: { () throws(MLSError) in
                // Any key will do: the object is not used before its key has been set.
                let key = try keys.publicKey(base)
                EVP_PKEY_up_ref(key.pointer)
                return key.pointer
            },
            free: { EVP_PKEY_free($0) })
    }

    var kemIdentifier: UInt16 { name == .x25519 ? 0x0020 : 0x0021 }
    /// A public key and a shared point have the same length.
    var privateKeyLength: Int { name == .x25519 ? 32 : 56 }
    var sharedSecretLength: Int { name == .x25519 ? 32 : 64 }
    var derivation: DHKEM.Derivation { .direct }

    func isPrivateKey(_ raw: Secret) -> Bool { raw.count == privateKeyLength }

    func key(raw: Secret) throws(MLSError) -> HPKEPrivateKey {
        let object = try keys.privateKey(raw)
        let publicKey = try keys.publicBytes(object, length: privateKeyLength)
        return HPKEPrivateKey(publicKey: publicKey, raw: raw, prepared: object)
    }

    func key(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey {
        if raw.count != privateKeyLength || publicKey.count != privateKeyLength {
            throw MLSError(.invalidKey, "a key of another length for \(name.rawValue)")
        }
        return HPKEPrivateKey(publicKey: publicKey, raw: raw, prepared: DeferredKey(algorithm: name.rawValue))
    }

    func owns(_ key: HPKEPrivateKey) -> Bool {
        ((key.prepared as? KeyObject)?.algorithm ?? (key.prepared as? DeferredKey)?.algorithm) == name.rawValue
    }

    /// The prepared form of a key, which must belong to this provider and have the right algorithm.
    private func object(of key: HPKEPrivateKey) throws(MLSError) -> KeyObject {
        switch key.prepared {
        case let object as KeyObject where object.algorithm == name.rawValue: return object
        case let deferred as DeferredKey where deferred.algorithm == name.rawValue:
            return try deferred.object { () throws(MLSError) in try keys.privateKey(key.raw) }
        default: throw MLSError(.invalidKey, "a private key is not one of \(name.rawValue)")
        }
    }

    /// A point of small order is refused: no one can seal to it, so in a tree it would keep everyone from committing.
    func isValidPublicKey(_ key: [UInt8]) -> Bool {
        if key.count != privateKeyLength { return false }
        return name == .x25519 ? !Self.isSmallOrder25519(key) : !Self.isSmallOrder448(key)
    }

    /// Whether a coordinate is 0, 1 or -1, or that of a point of order 8; also when it is not reduced.
    private static func isSmallOrder25519(_ key: [UInt8]) -> Bool {
        // X25519 ignores the highest bit (RFC 7748 §5).
        let high = key[31] & 0x7F
        for point in [order8.0, order8.1] where high == point[31] && key[..<31] == point[..<31] { return true }
        let middle = key[1..<31]
        if high == 0x7F, middle.allSatisfy({ $0 == 0xFF }) { return (0xEC...0xEE).contains(key[0]) }
        return high == 0 && middle.allSatisfy { $0 == 0 } && key[0] <= 1
    }

    /// Whether a coordinate is 0, 1 or -1; also when it is not reduced.
    private static func isSmallOrder448(_ key: [UInt8]) -> Bool {
        if key[1...].allSatisfy({ $0 == 0 }) { return key[0] <= 1 }
        // The prime is 2^448 - 2^224 - 1.
        let (low, high) = (key[..<28], key[29...])
        guard high.allSatisfy({ $0 == 0xFF }) else { return false }
        if key[28] == 0xFF { return low.allSatisfy { $0 == 0 } }
        return key[28] == 0xFE && low[0] >= 0xFE && low.dropFirst().allSatisfy { $0 == 0xFF }
    }

    /// The coordinates of the points of order 8 on Curve25519, little-endian.
    private static let order8: ([UInt8], [UInt8]) = (
        [
            0xE0, 0xEB, 0x7A, 0x7C, 0x3B, 0x41, 0xB8, 0xAE, 0x16, 0x56, 0xE3, 0xFA, 0xF1, 0x9F, 0xC4, 0x6A,
            0xDA, 0x09, 0x8D, 0xEB, 0x9C, 0x32, 0xB1, 0xFD, 0x86, 0x62, 0x05, 0x16, 0x5F, 0x49, 0xB8, 0x00,
        ],
        [
            0x5F, 0x9C, 0x95, 0xBC, 0xA3, 0x50, 0x8C, 0x24, 0xB1, 0xD0, 0xB1, 0x55, 0x9C, 0x83, 0xEF, 0x5B,
            0x04, 0x44, 0x5C, 0xC4, 0x58, 0x1C, 0x8E, 0x86, 0xD8, 0x22, 0x4E, 0xDD, 0xD0, 0x9F, 0x11, 0x57,
        ]
    )

    func agree(_ key: HPKEPrivateKey, with publicKey: [UInt8]) throws(MLSError) -> Secret {
        let object = try object(of: key)
        if publicKey.count != privateKeyLength {
            throw MLSError(.invalidKey, "a public key of \(publicKey.count) bytes for \(name.rawValue)")
        }
        return try peers.withObject { peer throws(MLSError) in
            let set = publicKey.withBytes { EVP_PKEY_set1_encoded_public_key(peer, $0.uint8, $0.count) }
            try check(set, "a public key is not one of \(name.rawValue)", code: .invalidKey)
            return try derive(object, with: peer)
        }
    }

    /// - Throws: `invalidKey` for a public key of small order, whose result everyone knows.
    private func derive(_ key: KeyObject, with peer: OpaquePointer) throws(MLSError) -> Secret {
        let context = try made(EVP_PKEY_CTX_new_from_pkey(nil, key.pointer, nil), "no memory for a key agreement")
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context), "beginning a key agreement")
        // These curves have no invalid public keys; those of small order give a zero.
        try check(EVP_PKEY_derive_set_peer_ex(context, peer, 0), "a public key does not fit", code: .invalidKey)
        let secret = try Secret(count: privateKeyLength) { out throws(MLSError) in
            var count = out.count
            try check(EVP_PKEY_derive(context, out.uint8, &count), "a key agreement fails", code: .invalidKey)
            if count != out.count { throw MLSError(.cryptoFailure, "a key agreement of \(count) bytes") }
        }
        let isZero = secret.withUnsafeBytes { bytes in bytes.reduce(UInt8(0), |) == 0 }
        if isZero { throw MLSError(.invalidKey, "a key agreement gives zero") }
        return secret
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
        let scalar = try scalar(raw)
        return HPKEPrivateKey(publicKey: try publicKey(of: scalar), raw: scalar.raw, prepared: scalar)
    }

    func key(raw: Secret, publicKey: [UInt8]) throws(MLSError) -> HPKEPrivateKey {
        try checkForm(publicKey)
        let scalar = try scalar(raw)
        return HPKEPrivateKey(publicKey: publicKey, raw: scalar.raw, prepared: scalar)
    }

    func owns(_ key: HPKEPrivateKey) -> Bool { (key.prepared as? Scalar)?.curve == name }

    func isValidPublicKey(_ key: [UInt8]) -> Bool { isPoint(key) }

    func agree(_ key: HPKEPrivateKey, with publicKey: [UInt8]) throws(MLSError) -> Secret {
        guard let scalar = key.prepared as? Scalar, scalar.curve == name else {
            throw MLSError(.invalidKey, "a private key is not one of \(name.rawValue)")
        }
        return try agree(scalar, with: publicKey)
    }
}
