import MLS
import MLSOpenSSL

/// Messages protected and opened in both framings (RFC 9420 §6).
public enum MessageProtectionVectors: VectorKind {
    public static let name = "message-protection"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let group_id: Hex
        let epoch: UInt64
        let tree_hash: Hex
        let confirmed_transcript_hash: Hex
        let signature_priv: Hex
        let signature_pub: Hex
        let encryption_secret: Hex
        let sender_data_secret: Hex
        let membership_key: Hex
        let proposal: Hex
        let proposal_priv: Hex
        let proposal_pub: Hex
        let commit: Hex
        let commit_priv: Hex
        let commit_pub: Hex
        let application: Hex
        let application_priv: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let group = VectorGroup(vector, crypto: try provider.vectorSuite(vector.cipher_suite))
        let proposal = FramedContent.Body.proposal(try Proposal(decoding: vector.proposal.bytes))
        let commit = FramedContent.Body.commit(try Commit(decoding: vector.commit.bytes))
        let application = FramedContent.Body.application(vector.application.bytes)
        for (body, message) in [(proposal, vector.proposal_pub), (commit, vector.commit_pub)] {
            try expectEqual(try group.openPublic(message.bytes), body, "the body of a PublicMessage")
            try expectEqual(try group.openPublic(group.protectPublic(body)), body, "the body of our PublicMessage")
        }
        for (body, message) in [
            (proposal, vector.proposal_priv), (commit, vector.commit_priv), (application, vector.application_priv),
        ] {
            try expectEqual(try group.openPrivate(message.bytes), body, "the body of a PrivateMessage")
            try expectEqual(try group.openPrivate(group.protectPrivate(body)), body, "the body of our PrivateMessage")
        }
    }
}

/// The keys of one epoch of a group of two, of whom the second is the sender.
private struct VectorGroup {
    let vector: MessageProtectionVectors.Case
    let crypto: any SuiteCrypto
    let context: [UInt8]
    let sender = LeafIndex(1)

    init(_ vector: MessageProtectionVectors.Case, crypto: any SuiteCrypto) {
        self.vector = vector
        self.crypto = crypto
        context =
            GroupContext(
                suite: crypto.suite, groupID: vector.group_id.bytes, epoch: vector.epoch,
                treeHash: vector.tree_hash.bytes, confirmedTranscriptHash: vector.confirmed_transcript_hash.bytes,
                extensions: []
            ).encoded
    }

    private var secretTree: SecretTree {
        SecretTree(size: TreeSize(leaves: 2), encryptionSecret: vector.encryption_secret.secret)
    }

    func openPublic(_ bytes: [UInt8]) throws -> FramedContent.Body {
        guard case .publicMessage(let message) = try MLSMessage(decoding: bytes) else {
            throw VectorMismatch("not a PublicMessage")
        }
        let content = try message.unprotect(
            membershipKey: vector.membership_key.secret, context: context, crypto: crypto)
        try content.verifySignature(publicKey: vector.signature_pub.bytes, context: context, crypto: crypto)
        return content.content.body
    }

    func openPrivate(_ bytes: [UInt8]) throws -> FramedContent.Body {
        guard case .privateMessage(let message) = try MLSMessage(decoding: bytes) else {
            throw VectorMismatch("not a PrivateMessage")
        }
        let senderData = try message.openSenderData(
            senderDataSecret: vector.sender_data_secret.secret, crypto: crypto)
        try expectEqual(senderData.leaf, sender, "the sender")
        let step = try secretTree.key(
            for: .init(leaf: sender, kind: message.contentType == .application ? .application : .handshake),
            generation: senderData.generation, crypto: crypto)
        let content = try message.open(senderData, key: step.messageKey, crypto: crypto)
        try content.verifySignature(publicKey: vector.signature_pub.bytes, context: context, crypto: crypto)
        return content.content.body
    }

    func protectPublic(_ body: FramedContent.Body) throws -> [UInt8] {
        let message = PublicMessage(
            protecting: try sign(body, as: .publicMessage), membershipKey: vector.membership_key.secret,
            context: context, crypto: crypto)
        return MLSMessage.publicMessage(message).encoded
    }

    func protectPrivate(_ body: FramedContent.Body) throws -> [UInt8] {
        let step = try secretTree.nextKey(
            for: .init(leaf: sender, kind: body.type == .application ? .application : .handshake), crypto: crypto)
        let message = try PrivateMessage(
            protecting: try sign(body, as: .privateMessage), from: sender, key: step.messageKey,
            senderDataSecret: vector.sender_data_secret.secret, paddingBlock: 32, crypto: crypto,
            entropy: SystemEntropy())
        return MLSMessage.privateMessage(message).encoded
    }

    private func sign(_ body: FramedContent.Body, as format: WireFormat) throws -> AuthenticatedContent {
        let content = FramedContent(
            groupID: vector.group_id.bytes, epoch: vector.epoch, sender: .member(sender),
            authenticatedData: [1, 2, 3], body: body)
        let signed = try AuthenticatedContent.sign(
            content, as: format, context: context,
            signer: try crypto.signatureKey(raw: vector.signature_priv.secret), crypto: crypto)
        return body.type == .commit ? signed.with(confirmationTag: [4, 5, 6]) : signed
    }
}
