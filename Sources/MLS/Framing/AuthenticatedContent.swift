/// Proves where a framed content comes from: the sender's signature and, on a commit, the confirmation tag (RFC 9420
/// §6.1).
package struct FramedContentAuthData: Hashable, Sendable {
    package let signature: [UInt8]
    /// Present exactly on commits.
    package let confirmationTag: [UInt8]?

    package init(signature: [UInt8], confirmationTag: [UInt8]?) {
        self.signature = signature
        self.confirmationTag = confirmationTag
    }

    init(for type: ContentType, from reader: inout TLSReader) throws(MLSError) {
        signature = try reader.readOpaque()
        confirmationTag = type == .commit ? try reader.readOpaque() : nil
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(signature)
        if let confirmationTag { writer.writeOpaque(confirmationTag) }
    }
}

/// A framed content with its proof of origin, bound to the wire format it travels in (RFC 9420 §6.1).
package struct AuthenticatedContent: Hashable, Sendable {
    package let wireFormat: WireFormat
    package let content: FramedContent
    package let auth: FramedContentAuthData

    package init(wireFormat: WireFormat, content: FramedContent, auth: FramedContentAuthData) {
        self.wireFormat = wireFormat
        self.content = content
        self.auth = auth
    }

    /// Signs a content that carries no confirmation tag, or none yet.
    ///
    /// - Parameter context: the encoded GroupContext of the content's epoch.
    package static func sign(
        _ content: FramedContent, as wireFormat: WireFormat, context: [UInt8], signer: SignaturePrivateKey,
        crypto: any SuiteCrypto
    ) throws(MLSError) -> AuthenticatedContent {
        let signature = try crypto.signWithLabel(
            signer, label: signatureLabel,
            content: toBeSigned(content, as: wireFormat, context: context))
        return AuthenticatedContent(
            wireFormat: wireFormat, content: content,
            auth: FramedContentAuthData(signature: signature, confirmationTag: nil))
    }

    package func with(confirmationTag: [UInt8]) -> AuthenticatedContent {
        AuthenticatedContent(
            wireFormat: wireFormat, content: content,
            auth: FramedContentAuthData(signature: auth.signature, confirmationTag: confirmationTag))
    }

    /// - Throws: `invalidSignature`.
    package func verifySignature(
        publicKey: [UInt8], context: [UInt8], crypto: any SuiteCrypto
    ) throws(MLSError) {
        let holds = crypto.verifyWithLabel(
            publicKey: publicKey, label: Self.signatureLabel,
            content: Self.toBeSigned(content, as: wireFormat, context: context), signature: auth.signature)
        if !holds { throw MLSError(.invalidSignature, "the signature of a framed content") }
    }

    /// The name that a commit calls a proposal by (RFC 9420 §5.2).
    package func proposalRef(crypto: any SuiteCrypto) -> ProposalRef {
        crypto.proposalRef(encoded)
    }

    /// AuthenticatedContentTBM (RFC 9420 §6.2): what the membership tag covers.
    func toBeTagged(context: [UInt8]) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: content.bytes.count + context.count + 256)
        writer.writeRaw(Self.toBeSigned(content, as: wireFormat, context: context))
        auth.encode(to: &writer)
        return writer.bytes
    }

    private static let signatureLabel = "FramedContentTBS"

    /// FramedContentTBS: only those who are in the group, or join it by this message, know its context.
    private static func toBeSigned(_ content: FramedContent, as wireFormat: WireFormat, context: [UInt8]) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: content.bytes.count + context.count + 8)
        writer.write(ProtocolVersion.mls10)
        writer.write(wireFormat)
        writer.write(content)
        switch content.sender {
        case .member, .newMemberCommit: writer.writeRaw(context)
        case .external, .newMemberProposal: break
        }
        return writer.bytes
    }
}

extension AuthenticatedContent: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        wireFormat = try reader.read()
        content = try reader.read()
        auth = try FramedContentAuthData(for: content.body.type, from: &reader)
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(wireFormat)
        writer.write(content)
        auth.encode(to: &writer)
    }
}
