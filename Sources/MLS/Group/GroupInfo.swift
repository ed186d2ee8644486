/// The public state of an epoch, signed by a member: what a joiner needs (RFC 9420 §12.4.3).
package struct GroupInfo: Hashable, Sendable {
    package let context: GroupContext
    package let extensions: [Extension]
    package let confirmationTag: [UInt8]
    package let signer: LeafIndex
    package let signature: [UInt8]

    package init(
        context: GroupContext, extensions: [Extension], confirmationTag: [UInt8], signer: LeafIndex,
        signatureKey: SignaturePrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) {
        self.context = context
        self.extensions = extensions
        self.confirmationTag = confirmationTag
        self.signer = signer
        var content = TLSWriter()
        Self.encodeContent(context, extensions, confirmationTag, signer, to: &content)
        signature = try crypto.signWithLabel(signatureKey, label: Self.signatureLabel, content: content.bytes)
    }

    /// - Throws: `invalidSignature`.
    package func verifySignature(publicKey: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        var content = TLSWriter()
        Self.encodeContent(context, extensions, confirmationTag, signer, to: &content)
        let holds = crypto.verifyWithLabel(
            publicKey: publicKey, label: Self.signatureLabel, content: content.bytes, signature: signature)
        if !holds { throw MLSError(.invalidSignature, "the signature of a GroupInfo") }
    }

    /// The HPKE key that external commits are sealed to; nil if the signer did not give it.
    package func externalPub() throws(MLSError) -> [UInt8]? {
        guard let data = extensions[.externalPub] else { return nil }
        var reader = TLSReader(data)
        let key = try reader.readOpaque()
        try reader.expectEnd()
        return key
    }

    private static let signatureLabel = "GroupInfoTBS"

    private static func encodeContent(
        _ context: GroupContext, _ extensions: [Extension], _ confirmationTag: [UInt8], _ signer: LeafIndex,
        to writer: inout TLSWriter
    ) {
        // The ratchet tree, if it is included, and any other extensions.
        writer.reserve(extensions.reduce(512) { $0 + $1.data.count + 8 })
        writer.write(context)
        writer.writeVector(extensions)
        writer.writeOpaque(confirmationTag)
        writer.write(signer)
    }
}

extension GroupInfo: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        context = try reader.read()
        extensions = try reader.readExtensions()
        confirmationTag = try reader.readOpaque()
        signer = try reader.read()
        signature = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        Self.encodeContent(context, extensions, confirmationTag, signer, to: &writer)
        writer.writeOpaque(signature)
    }
}
