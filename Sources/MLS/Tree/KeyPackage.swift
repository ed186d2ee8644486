/// What others need to add a client to a group while it is away (RFC 9420 §10).
public struct KeyPackage: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let version: ProtocolVersion
    public let cipherSuite: CipherSuite
    package let initKey: [UInt8]
    public let leafNode: LeafNode
    public let extensions: [Extension]
    package let signature: [UInt8]

    /// Makes and signs a key package around a leaf node of the same signer.
    package init(
        initKey: [UInt8], leafNode: LeafNode, extensions: [Extension], signer: SignaturePrivateKey,
        crypto: any SuiteCrypto
    ) throws(MLSError) {
        version = .mls10
        cipherSuite = crypto.suite
        self.initKey = initKey
        self.leafNode = leafNode
        self.extensions = extensions
        var content = TLSWriter()
        Self.encodeContent(
            version: version, cipherSuite: cipherSuite, initKey: initKey, leafNode: leafNode, extensions: extensions,
            to: &content)
        signature = try crypto.signWithLabel(signer, label: Self.signatureLabel, content: content.bytes)
    }

    /// - Throws: `unsupported` also for a cipher suite we do not know.
    package init(from reader: inout TLSReader) throws(MLSError) {
        version = try reader.read()
        cipherSuite = try reader.read()
        initKey = try reader.readOpaque()
        leafNode = try reader.read()
        extensions = try reader.readExtensions()
        signature = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        encodeContent(to: &writer)
        writer.writeOpaque(signature)
    }

    /// Whether it may be used more than once (RFC 9420 §16.8).
    public var isLastResort: Bool { extensions[.lastResort] != nil }

    /// The hash that a Welcome calls it by (RFC 9420 §5.2).
    package func ref(crypto: any SuiteCrypto) -> KeyPackageRef {
        crypto.keyPackageRef(encoded)
    }

    /// Checks everything that RFC 9420 §10.1 requires before a key package is used;
    /// ``RatchetTree/validateLeaf(_:replacing:groupExtensions:crypto:)`` checks whether it fits a group.
    ///
    /// - Parameter now: Unix seconds; when given, the lifetime must include it.
    /// - Throws: `unsupported` for another version, `invalidKeyPackage` for another suite and for what breaks the
    ///   rules, `invalidLeafNode`, `invalidKey`, `expired`, `invalidSignature`.
    public func validate(crypto: any SuiteCrypto, now: UInt64?) throws(MLSError) {
        if version != .mls10 { throw MLSError(.unsupported, "a key package of version \(version.rawValue)") }
        if cipherSuite != crypto.suite { throw MLSError(.invalidKeyPackage, "a key package of another suite") }
        guard case .keyPackage = leafNode.source else {
            throw MLSError(.invalidKeyPackage, "the leaf node of a key package comes from elsewhere")
        }
        if leafNode.encryptionKey == initKey {
            throw MLSError(.invalidKeyPackage, "a key package uses one key for two purposes")
        }
        if !crypto.isValidHPKEPublicKey(initKey) { throw MLSError(.invalidKey, "the init key of a key package") }
        try leafNode.validateContent(crypto: crypto)
        if let now { try leafNode.checkLifetime(now: now) }
        try leafNode.verifySignature(placement: nil, crypto: crypto)
        try verifySignature(crypto: crypto)
    }

    /// - Throws: `invalidSignature`.
    package func verifySignature(crypto: any SuiteCrypto) throws(MLSError) {
        var content = TLSWriter()
        encodeContent(to: &content)
        let holds = crypto.verifyWithLabel(
            publicKey: leafNode.signatureKey, label: Self.signatureLabel, content: content.bytes, signature: signature)
        if !holds { throw MLSError(.invalidSignature, "the signature of a key package") }
    }

    private static let signatureLabel = "KeyPackageTBS"

    private func encodeContent(to writer: inout TLSWriter) {
        Self.encodeContent(
            version: version, cipherSuite: cipherSuite, initKey: initKey, leafNode: leafNode, extensions: extensions,
            to: &writer)
    }

    private static func encodeContent(
        version: ProtocolVersion, cipherSuite: CipherSuite, initKey: [UInt8], leafNode: LeafNode,
        extensions: [Extension], to writer: inout TLSWriter
    ) {
        writer.write(version)
        writer.write(cipherSuite)
        writer.writeOpaque(initKey)
        writer.write(leafNode)
        writer.writeVector(extensions)
    }
}
