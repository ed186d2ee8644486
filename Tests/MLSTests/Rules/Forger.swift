import MLS
import Testing

@testable import struct MLS.Group

extension World {
    /// A message of the second client, signed and tagged with what a member has, whatever it says.
    func forge(
        _ body: FramedContent.Body, as format: WireFormat = .publicMessage, sender: Sender = .member(LeafIndex(1)),
        epoch: UInt64? = nil, groupID: [UInt8]? = nil, signer: SignaturePrivateKey? = nil
    ) throws -> [UInt8] {
        let forger = clients[1].group
        let content = FramedContent(
            groupID: groupID ?? forger.groupID, epoch: epoch ?? forger.epoch, sender: sender, authenticatedData: [],
            body: body)
        var signed = try AuthenticatedContent.sign(
            content, as: format, context: forger.current.encodedContext, signer: signer ?? clients[1].signer,
            crypto: crypto)
        if body.type == .commit { signed = signed.with(confirmationTag: [0]) }
        return try protect(signed)
    }

    /// Sends what the second client has signed, in the framing it was signed for.
    func protect(_ signed: AuthenticatedContent) throws -> [UInt8] {
        if case .member = signed.content.sender {
            return try clients[1].group.protectHandshake(signed, entropy: entropy).message.encoded
        }
        return MLSMessage.publicMessage(PublicMessage(fromOutside: signed)).encoded
    }
}

/// What a member can send who has the keys but follows no rules.
extension RuleScene {
    /// A message of the forger, see ``World/forge(_:as:sender:epoch:groupID:signer:)``.
    func forge(
        _ body: FramedContent.Body, as format: WireFormat = .publicMessage, sender: Sender = .member(forger),
        epoch: UInt64? = nil, groupID: [UInt8]? = nil, signer: SignaturePrivateKey? = nil
    ) throws -> [UInt8] {
        try world.forge(body, as: format, sender: sender, epoch: epoch, groupID: groupID, signer: signer)
    }

    /// A proposal of the forger.
    func forge(_ proposal: Proposal, as format: WireFormat = .publicMessage) throws -> [UInt8] {
        try forge(.proposal(proposal), as: format)
    }

    /// A leaf node of the forger, signed for its place, or for another.
    func leafNode(
        key: [UInt8]? = nil, source: LeafNodeSource = .update, credential: Credential? = nil,
        capabilities: Capabilities? = nil, extensions: [Extension]? = nil, place: LeafIndex = forger,
        groupID: [UInt8]? = nil, signer: SignaturePrivateKey? = nil
    ) throws -> LeafNode {
        var profile = try leaf(Self.forger).profile
        profile.credential = credential ?? profile.credential
        profile.capabilities = capabilities ?? profile.capabilities
        profile.extensions = extensions ?? profile.extensions
        return try LeafNode(
            encryptionKey: key ?? crypto.generateHPKEKey(entropy).publicKey, profile: profile, source: source,
            placement: .init(groupID: groupID ?? forger.groupID, leafIndex: place), signer: signer ?? forgerSigner,
            crypto: crypto)
    }

    /// A key package of a stranger, or with parts of others.
    func keyPackage(
        initKey: [UInt8]? = nil, key: [UInt8]? = nil, signer: SignaturePrivateKey? = nil,
        leafSource: LeafNodeSource = .keyPackage(World.lifetime), capabilities: Capabilities = Capabilities(),
        credential: Credential = .basic(identity: [5]), extensions: [Extension] = [],
        leafExtensions: [Extension] = [], packageSigner: SignaturePrivateKey? = nil
    ) throws -> KeyPackage {
        let signer = try signer ?? crypto.generateSignatureKey(entropy)
        let leaf = try LeafNode(
            encryptionKey: key ?? crypto.generateHPKEKey(entropy).publicKey,
            profile: .init(credential: credential, capabilities: capabilities, extensions: leafExtensions),
            source: leafSource, placement: .init(groupID: forger.groupID, leafIndex: Self.forger), signer: signer,
            crypto: crypto)
        return try KeyPackage(
            initKey: initKey ?? crypto.generateHPKEKey(entropy).publicKey, leafNode: leaf, extensions: extensions,
            signer: packageSigner ?? signer, crypto: crypto)
    }

    /// A commit of the forger that is right in everything but the rules: path, transcript, key schedule and
    /// confirmation tag fit what it says.
    ///
    /// - Parameters:
    ///   - references: to proposals that others remember.
    ///   - path: nil for a commit without one; otherwise changes the path before it is signed.
    ///   - psks: the secrets that go in, in the order of their proposals.
    ///   - author: who commits.
    func forgeCommit(
        _ proposals: [Proposal] = [], references: [PendingProposal] = [], by author: Int = 1,
        as format: WireFormat = .publicMessage,
        path: ((UpdatePath) throws -> UpdatePath)? = { $0 }, psks: [(id: PreSharedKeyID, secret: Secret)] = [],
        tag: ([UInt8]) -> [UInt8] = { $0 }
    ) throws -> [UInt8] {
        let (group, signer) = (world.clients[author].group, world.clients[author].signer)
        let listed = references.map { ProposalOrRef.reference($0.reference) } + proposals.map { .proposal($0) }
        let draft = CommitDraft(
            listed: listed, baseContext: group.current.context,
            baseTranscript: group.current.interimTranscriptHash, sender: .member(group.ownLeaf), authenticatedData: [],
            crypto: crypto, entropy: entropy)
        var applied = try apply(references.map { ($0.proposal, $0.sender) } + proposals.map { ($0, group.ownLeaf) })
        var made: CommitDraft.Path?
        if let path {
            let profile = try leaf(group.ownLeaf).profile
            let honest = try draft.makePath(in: &applied, from: group.ownLeaf, profile: profile, signer: signer)
            made = .init(prepared: honest.prepared, updatePath: try path(honest.updatePath))
        }
        let own = try group.ownSecrets()
        let finished = try draft.finish(
            applied, path: made, privateTree: own.privateTree, initSecret: own.epoch.initSecret, psks: psks,
            as: format, signer: signer)
        let confirmationTag = try #require(finished.commit.auth.confirmationTag)
        return try group.protectHandshake(
            finished.commit.with(confirmationTag: tag(confirmationTag)), entropy: entropy
        ).message.encoded
    }

    /// Does what can be done, and checks nothing.
    private func apply(_ proposals: [(proposal: Proposal, sender: LeafIndex?)]) throws -> AppliedProposals {
        let nothing = try ProposalList([], committer: Self.forger, crypto: crypto)
        var applied = try AppliedProposals(
            nothing, to: forger.current.tree, context: forger.current.context, crypto: crypto, now: nil)
        for case (.groupContextExtensions(let extensions), _) in proposals { applied.context.extensions = extensions }
        for case (.update(let leaf), let sender?) in proposals where applied.tree[sender] != nil {
            try applied.tree.updateLeaf(leaf, at: sender)
        }
        for case (.remove(let index), _) in proposals where applied.tree[index] != nil {
            try applied.tree.removeLeaf(index)
        }
        for case (.add(let keyPackage), _) in proposals {
            applied.added.append((try applied.tree.addLeaf(keyPackage.leafNode), keyPackage))
        }
        return applied
    }

    /// A PrivateMessage of the forger whose parts are chosen freely.
    func forgePrivate(
        _ body: FramedContent.Body = .application([7]), leaf: LeafIndex = forger, generation: UInt32 = 0,
        kind: SecretTree.Kind = .application, signer: SignaturePrivateKey? = nil, contentType: ContentType? = nil,
        padding: [UInt8] = [], tail: [UInt8] = []
    ) throws -> [UInt8] {
        let keys = forger.current.messageKeys
        let step = try keys.secretTree.key(
            for: .init(leaf: Self.forger, kind: kind), generation: generation, crypto: crypto)
        let content = FramedContent(
            groupID: forger.groupID, epoch: forger.epoch, sender: .member(leaf), authenticatedData: [], body: body)
        let signed = try AuthenticatedContent.sign(
            content, as: .privateMessage, context: forger.current.encodedContext, signer: signer ?? forgerSigner,
            crypto: crypto)
        var header = TLSWriter()
        header.writeOpaque(forger.groupID)
        header.write(forger.epoch)
        header.write(contentType ?? body.type)
        var inner = TLSWriter()
        body.encode(to: &inner)
        inner.writeOpaque(signed.auth.signature)
        inner.writeRaw(padding)
        let ciphertext = try crypto.seal(
            key: step.messageKey.key, nonce: step.messageKey.nonce.unwipedCopy, aad: header.bytes + [0], inner.bytes)
        let senderData = SenderData(leaf: leaf, generation: step.messageKey.generation, reuseGuard: [0, 0, 0, 0])
        let senderKeys = SenderData.keys(secret: keys.senderData, ciphertext: ciphertext, crypto: crypto)
        let sealed = try crypto.seal(
            key: senderKeys.key, nonce: senderKeys.nonce, aad: header.bytes, senderData.encoded + tail)
        var message = TLSWriter()
        message.write(ProtocolVersion.mls10)
        message.write(WireFormat.privateMessage)
        message.writeRaw(header.bytes)
        message.writeOpaque([UInt8]())
        message.writeOpaque(sealed)
        message.writeOpaque(ciphertext)
        return message.bytes
    }

    /// Lets the victim open application data.
    mutating func open(_ message: [UInt8]) throws { _ = try victim.unprotect(message) }
}
