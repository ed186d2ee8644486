/// A key package with the private keys that only its owner has.
public struct KeyPackageBundle: Sendable {
    public let keyPackage: KeyPackage
    package let initKey: HPKEPrivateKey
    package let encryptionKey: HPKEPrivateKey

    /// Makes a key package with fresh keys.
    ///
    /// - Parameters:
    ///   - lastResort: marks it as one that may be used more than once (RFC 9420 §16.8).
    ///   - leafExtensions: for the leaf node.
    ///   - extensions: more extensions of the key package itself.
    ///   - sendsGREASE: whether to put in meaningless values wherever RFC 9420 §13.5 has a place for them.
    /// - Throws: `invalidKeyPackage` for an extension that the capabilities do not declare; `malformed` when a type
    ///   comes twice.
    public static func generate(
        crypto: any SuiteCrypto, identity: Credential, signer: SignaturePrivateKey, lifetime: Lifetime,
        lastResort: Bool = false, capabilities: Capabilities = Capabilities(), leafExtensions: [Extension] = [],
        extensions: [Extension] = [], sendsGREASE: Bool = false, entropy: any EntropySource
    ) throws(MLSError) -> KeyPackageBundle {
        var profile = LeafNode.Profile(
            credential: identity, capabilities: capabilities, extensions: leafExtensions)
        var extensions = (lastResort ? [Extension(.lastResort, data: [])] : []) + extensions
        if sendsGREASE {
            profile = profile.greased(from: entropy)
            let entry = Extension.grease(from: entropy)
            extensions.append(entry)
            profile.capabilities.declare(entry.type)
        }
        try leafExtensions.checkUnique()
        try extensions.checkUnique()
        // RFC 9420 §10 requires this only of the maker.
        for entry in extensions + leafExtensions where !profile.capabilities.supports(entry.type) {
            throw MLSError(.invalidKeyPackage, "extension \(entry.type.rawValue) is not among the capabilities")
        }
        let initKey = try crypto.generateHPKEKey(entropy)
        let encryptionKey = try crypto.generateHPKEKey(entropy)
        let leafNode = try LeafNode(
            encryptionKey: encryptionKey.publicKey, profile: profile,
            source: .keyPackage(lifetime), placement: nil, signer: signer, crypto: crypto)
        let keyPackage = try KeyPackage(
            initKey: initKey.publicKey, leafNode: leafNode, extensions: extensions, signer: signer, crypto: crypto)
        return KeyPackageBundle(keyPackage: keyPackage, initKey: initKey, encryptionKey: encryptionKey)
    }

    private init(keyPackage: KeyPackage, initKey: HPKEPrivateKey, encryptionKey: HPKEPrivateKey) {
        self.keyPackage = keyPackage
        self.initKey = initKey
        self.encryptionKey = encryptionKey
    }
}

/// The form it is stored in: a version byte, the key package, the two private keys.
extension KeyPackageBundle {
    private static let formatVersion: UInt8 = 1

    /// Holds private keys.
    public var serialized: [UInt8] {
        let encoded = keyPackage.encoded
        var writer = TLSWriter(
            reservingCapacity: 1 + encoded.count + initKey.raw.capacity + encryptionKey.raw.capacity)
        writer.write(Self.formatVersion)
        writer.writeRaw(encoded)
        writer.writeSecret(initKey.raw)
        writer.writeSecret(encryptionKey.raw)
        return writer.bytes
    }

    /// - Throws: `malformed` also when the private keys do not belong to the key package; `unsupported` for a later
    ///   version.
    public init(serialized: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        var reader = TLSReader(serialized)
        let version = try reader.read(UInt8.self)
        if version != Self.formatVersion { throw MLSError(.unsupported, "a key package bundle of version \(version)") }
        let keyPackage = try reader.read(KeyPackage.self)
        let keys = (try reader.readSecret(), try reader.readSecret())
        try reader.expectEnd()
        try self.init(keyPackage: keyPackage, initKey: keys.0, encryptionKey: keys.1, crypto: crypto)
    }

    /// Joins a key package with private keys that were kept elsewhere.
    ///
    /// - Throws: `malformed` when they do not belong together, `invalidKey`.
    package init(keyPackage: KeyPackage, initKey: Secret, encryptionKey: Secret, crypto: any SuiteCrypto)
        throws(MLSError)
    {
        if keyPackage.cipherSuite != crypto.suite { throw MLSError(.malformed, "a key package of another suite") }
        self.init(
            keyPackage: keyPackage, initKey: try crypto.hpkeKey(raw: initKey),
            encryptionKey: try crypto.hpkeKey(raw: encryptionKey))
        if self.initKey.publicKey != keyPackage.initKey
            || self.encryptionKey.publicKey != keyPackage.leafNode.encryptionKey
        {
            throw MLSError(.malformed, "private keys that are not those of the key package")
        }
    }
}
