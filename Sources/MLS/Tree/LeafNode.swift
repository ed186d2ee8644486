/// A member's place in the tree: its keys, its credential, what it supports, signed by itself (RFC 9420 §7.2).
public struct LeafNode: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let encryptionKey: [UInt8]
    public let signatureKey: [UInt8]
    public let credential: Credential
    package let capabilities: Capabilities
    package let source: LeafNodeSource
    public let extensions: [Extension]
    package let signature: [UInt8]
    /// The whole encoding, which tree hashes, signatures and messages need again and again.
    let bytes: [UInt8]

    /// The position of a leaf node, which is signed along unless the leaf node comes from a key package.
    package struct Placement: Hashable, Sendable {
        package var groupID: [UInt8]
        package var leafIndex: LeafIndex

        package init(groupID: [UInt8], leafIndex: LeafIndex) {
            self.groupID = groupID
            self.leafIndex = leafIndex
        }
    }

    /// What a leaf node says about its owner, which stays when its keys change.
    public struct Profile: Hashable, Sendable {
        package var credential: Credential
        package var capabilities: Capabilities
        package var extensions: [Extension]

        package init(credential: Credential, capabilities: Capabilities = Capabilities(), extensions: [Extension] = [])
        {
            self.credential = credential
            self.capabilities = capabilities
            self.extensions = extensions
        }
    }

    package var profile: Profile { Profile(credential: credential, capabilities: capabilities, extensions: extensions) }

    /// Makes and signs a leaf node; what Update and Commit bring is made from the old one's ``profile``.
    ///
    /// - Parameter placement: needed for the sources `update` and `commit`, unused for `keyPackage`.
    package init(
        encryptionKey: [UInt8], profile: Profile, source: LeafNodeSource, placement: Placement?,
        signer: SignaturePrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) {
        self.encryptionKey = encryptionKey
        self.signatureKey = signer.publicKey
        self.credential = profile.credential
        self.capabilities = profile.capabilities
        self.source = source
        self.extensions = profile.extensions
        var writer = TLSWriter(reservingCapacity: 512)
        writer.writeOpaque(encryptionKey)
        writer.writeOpaque(signer.publicKey)
        writer.write(profile.credential)
        writer.write(profile.capabilities)
        writer.write(source)
        writer.writeVector(profile.extensions)
        var content = writer
        try Self.encodePlacement(placement, for: source, to: &content)
        self.signature = try crypto.signWithLabel(signer, label: Self.signatureLabel, content: content.bytes)
        writer.writeOpaque(signature)
        bytes = writer.bytes
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        let start = reader.position
        encryptionKey = try reader.readOpaque()
        signatureKey = try reader.readOpaque()
        credential = try reader.read()
        capabilities = try reader.readCapabilities()
        source = try reader.read()
        extensions = try reader.readExtensions()
        signature = try reader.readOpaque()
        // Every value has only one encoding, so these bytes equal the encoding of the fields.
        bytes = Array(reader.consumed(since: start))
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeRaw(bytes)
    }

    public static func == (a: LeafNode, b: LeafNode) -> Bool { a.bytes == b.bytes }
    public func hash(into hasher: inout Hasher) { hasher.combine(bytes) }

    /// - Throws: `invalidSignature`; `invalidLeafNode` when the source needs a placement and none is given.
    package func verifySignature(placement: Placement?, crypto: any SuiteCrypto) throws(MLSError) {
        let claim = try signatureClaim(placement: placement, crypto: crypto)
        if !crypto.verify(publicKey: claim.publicKey, claim.message, signature: claim.signature) {
            throw MLSError(.invalidSignature, "the signature of a leaf node")
        }
    }

    /// What ``verifySignature(placement:crypto:)`` verifies.
    func signatureClaim(placement: Placement?, crypto: any SuiteCrypto) throws(MLSError) -> SignatureClaim {
        var signatureLength = TLSWriter()
        signatureLength.writeLength(signature.count)
        var content = TLSWriter(reservingCapacity: bytes.count + 64)
        content.writeRaw(bytes.dropLast(signatureLength.bytes.count + signature.count))
        try Self.encodePlacement(placement, for: source, to: &content)
        return crypto.claimWithLabel(
            publicKey: signatureKey, label: Self.signatureLabel, content: content.bytes, signature: signature)
    }

    private static let signatureLabel = "LeafNodeTBS"

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
