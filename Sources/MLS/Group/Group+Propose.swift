extension Group {
    /// Makes a stand-alone proposal, which is also remembered here for the next commit.
    ///
    /// - Parameter now: Unix seconds; the lifetime of a key package to be added must include it. Nil leaves that check
    ///   to the committer.
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `invalidProposal` for an Update (see
    ///   ``proposeUpdate(profile:newSigner:authenticatedData:signer:entropy:)``) or ExternalInit, and for what no one
    ///   may commit; for an Add that no group or not this one takes `unsupported`, `invalidKeyPackage`,
    ///   `invalidLeafNode`, `invalidKey`, `expired`, `invalidSignature`, `credentialRefused`; `removed`,
    ///   `invalidState`, `tooLarge`, `malformed`.
    public mutating func propose(
        _ proposal: Proposal, authenticatedData: [UInt8] = [], signer: SignaturePrivateKey, now: UInt64?,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        switch proposal {
        case .update, .externalInit:
            throw MLSError(.invalidProposal, "a proposal that cannot be made this way")
        case .add, .remove, .preSharedKey, .reInit, .groupContextExtensions:
            try proposal.check(suite: suite)
            if case .add(let keyPackage) = proposal { try check(keyPackage, now: now) }
            return try send(
                proposal, updateKey: nil, authenticatedData: authenticatedData, signer: signer, entropy: entropy)
        }
    }

    /// Whether a key package may be proposed (RFC 9420 §10.1). Whether its keys are already in use is checked when it
    /// is committed: the member that has them may be gone by then.
    private func check(_ keyPackage: KeyPackage, now: UInt64?) throws(MLSError) {
        try keyPackage.validate(crypto: crypto, now: now)
        try configuration.checkLength(of: keyPackage.leafNode)
        try configuration.checkLifetime(of: keyPackage.leafNode)
        try keyPackage.leafNode.checkSupport(groupExtensions: extensions)
        try Authentication(configuration, context: current.context)
            .check(keyPackage.leafNode, at: nil, source: .add, replacing: nil)
    }

    /// Proposes a fresh encryption key for one's own leaf (RFC 9420 §12.1.2); another member must commit it.
    ///
    /// - Parameters:
    ///   - profile: what the new leaf says about this member; unchanged if nil. With another credential, all members
    ///     need ``GroupConfiguration/allowsCredentialChange``.
    ///   - signer: the key of the present leaf, which signs the message.
    ///   - newSigner: the key of the new leaf, used from the commit that includes the proposal on; the present one if
    ///     nil.
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `removed`, `invalidState`, `tooLarge`; `invalidLeafNode` and `credentialRefused` for a profile that
    ///   the group would not take.
    public mutating func proposeUpdate(
        profile: LeafNode.Profile? = nil, newSigner: SignaturePrivateKey? = nil, authenticatedData: [UInt8] = [],
        signer: SignaturePrivateKey, entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        let (leaf, _) = try sendingLeaf(signer: signer)
        let key = try crypto.generateHPKEKey(entropy)
        let updated = try LeafNode(
            encryptionKey: key.publicKey, profile: newProfile(profile, of: leaf, entropy: entropy), source: .update,
            placement: .init(groupID: groupID, leafIndex: ownLeaf), signer: newSigner ?? signer, crypto: crypto)
        if profile != nil || newSigner != nil {
            try current.tree.validateLeaf(
                updated, replacing: ownLeaf, groupExtensions: extensions, crypto: crypto)
            try check(ownChange: updated, of: leaf, source: .update)
        }
        return try send(
            .update(updated), updateKey: key, authenticatedData: authenticatedData, signer: signer, entropy: entropy)
    }

    /// Remembers a received proposal until the epoch ends. One that is there already changes nothing.
    ///
    /// There is no limit: those beyond ``Limits/waitingProposals`` can be referred to by others' commits, but no longer
    /// wait for one of this member.
    /// - Throws: `invalidState` when the group has left the proposal's epoch.
    public mutating func storeProposal(_ proposal: PendingProposal) throws(MLSError) {
        if proposal.epoch != epoch { throw MLSError(.invalidState, "the proposal's epoch is over") }
        for record in proposals.insert(proposal, isOwn: proposal.sender == ownLeaf) { journal.touch(record) }
        consume(proposal.sealedWith, epoch: epoch)
    }

    /// Consumes the key of a proposal that has been opened and will not be stored: with it the message could be opened
    /// again (RFC 9420 §9.2).
    ///
    /// A PublicMessage has none, so nothing happens.
    public mutating func discard(_ proposal: PendingProposal) {
        consume(proposal.sealedWith, epoch: proposal.epoch)
    }

    /// Consumes the key of a handshake message that was opened earlier.
    mutating func consume(_ key: (id: SecretTree.RatchetID, generation: UInt32)?, epoch: UInt64) {
        guard let key, let tree = messageKeys(ofEpoch: epoch)?.secretTree else { return }
        do {
            // Computed again: other messages of the sender may have been opened since.
            consume(try tree.key(for: key.id, generation: key.generation, crypto: crypto), epoch: epoch)
        } catch {
            // There is nothing left to consume.
        }
    }

    private mutating func send(
        _ proposal: Proposal, updateKey: HPKEPrivateKey?, authenticatedData: [UInt8], signer: SignaturePrivateKey,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        _ = try sendingLeaf(signer: signer)
        try checkLength(authenticatedData)
        let content = FramedContent(
            groupID: groupID, epoch: epoch, sender: .member(ownLeaf), authenticatedData: authenticatedData,
            body: .proposal(proposal))
        let signed = try AuthenticatedContent.sign(
            content, as: handshakeFormat, context: current.encodedContext, signer: signer, crypto: crypto)
        let (message, step) = try protectHandshake(signed, entropy: entropy)
        try storeProposal(
            PendingProposal(
                proposal: proposal, origin: .member(ownLeaf), reference: signed.proposalRef(crypto: crypto),
                epoch: epoch,
                updateKey: updateKey, sealedWith: nil))
        if let step { consume(step) }
        return message.encoded
    }

    var handshakeFormat: WireFormat { configuration.handshakeEncryption ? .privateMessage : .publicMessage }
}
