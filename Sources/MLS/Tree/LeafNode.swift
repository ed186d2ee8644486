/// A member's place in the tree: its keys, its credential, what it supports, signed by itself (RFC 9420 §7.2).
public struct LeafNode: Hashable, Sendable, TLSEncodable, TLSDecodable {
    public let encryptionKey: [UInt8]
    public let signatureKey: [UInt8]
    public let credential: Credential
    public let capabilities: Capabilities
    public let source: LeafNodeSource
    public let extensions: [Extension]
    public let signature: [UInt8]

    /// Where a leaf node stands: signed along unless the leaf node comes from a key package.
    public struct Placement: Hashable, Sendable {
        public var groupID: [UInt8]
        public var leafIndex: LeafIndex

        public init(groupID: [UInt8], leafIndex: LeafIndex) {
            self.groupID = groupID
            self.leafIndex = leafIndex
        }
    }

    /// Makes and signs a leaf node.
    ///
    /// - Parameter placement: needed for the sources `update` and `commit`, unused for `keyPackage`.
    public init(
        encryptionKey: [UInt8], credential: Credential, capabilities: Capabilities, source: LeafNodeSource,
        extensions: [Extension], placement: Placement?, signer: SignaturePrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) {
        self.encryptionKey = encryptionKey
        self.signatureKey = signer.publicKey
        self.credential = credential
        self.capabilities = capabilities
        self.source = source
        self.extensions = extensions
        var content = TLSWriter()
        Self.encodeContent(
            encryptionKey: encryptionKey, signatureKey: signer.publicKey, credential: credential,
            capabilities: capabilities, source: source, extensions: extensions, to: &content)
        try Self.encodePlacement(placement, for: source, to: &content)
        self.signature = try crypto.signWithLabel(signer, label: Self.signatureLabel, content: content.bytes)
    }

    /// The same leaf node with another encryption key and source, signed anew: what Update and Commit bring.
    public func replacing(
        encryptionKey: [UInt8], source: LeafNodeSource, placement: Placement, signer: SignaturePrivateKey,
        crypto: any SuiteCrypto
    ) throws(MLSError) -> LeafNode {
        try LeafNode(
            encryptionKey: encryptionKey, credential: credential, capabilities: capabilities, source: source,
            extensions: extensions, placement: placement, signer: signer, crypto: crypto)
    }

    public init(from reader: inout TLSReader) throws(MLSError) {
        encryptionKey = try reader.readOpaque()
        signatureKey = try reader.readOpaque()
        credential = try reader.read()
        capabilities = try reader.read()
        source = try reader.read()
        extensions = try reader.readExtensions()
        signature = try reader.readOpaque()
    }

    public func encode(to writer: inout TLSWriter) {
        encodeContent(to: &writer)
        writer.writeOpaque(signature)
    }

    /// - Throws: `invalidSignature`; `invalidLeafNode` when the source needs a placement and none is given.
    public func verifySignature(placement: Placement?, crypto: any SuiteCrypto) throws(MLSError) {
        var content = TLSWriter()
        encodeContent(to: &content)
        try Self.encodePlacement(placement, for: source, to: &content)
        let holds = crypto.verifyWithLabel(
            publicKey: signatureKey, label: Self.signatureLabel, content: content.bytes, signature: signature)
        if !holds { throw MLSError(.invalidSignature, "the signature of a leaf node") }
    }

    private static let signatureLabel = "LeafNodeTBS"

    private func encodeContent(to writer: inout TLSWriter) {
        Self.encodeContent(
            encryptionKey: encryptionKey, signatureKey: signatureKey, credential: credential,
            capabilities: capabilities, source: source, extensions: extensions, to: &writer)
    }

    private static func encodeContent(
        encryptionKey: [UInt8], signatureKey: [UInt8], credential: Credential, capabilities: Capabilities,
        source: LeafNodeSource, extensions: [Extension], to writer: inout TLSWriter
    ) {
        writer.writeOpaque(encryptionKey)
        writer.writeOpaque(signatureKey)
        writer.write(credential)
        writer.write(capabilities)
        writer.write(source)
        writer.writeVector(extensions)
    }

    /// The end of LeafNodeTBS, which keeps a leaf node from being moved to another group or place.
    private static func encodePlacement(_ placement: Placement?, for source: LeafNodeSource, to writer: inout TLSWriter)
        throws(MLSError)
    {
        if case .keyPackage = source { return }
        guard let placement else { throw MLSError(.invalidLeafNode, "a leaf node of an update without its place") }
        writer.writeOpaque(placement.groupID)
        writer.write(placement.leafIndex)
    }
}
