extension Group {
    /// Makes a stand-alone proposal; it is remembered here for the next commit too.
    ///
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `invalidProposal` for an Update (see ``proposeUpdate(authenticatedData:signer:entropy:)``) or ExternalInit, and for what
    ///   nobody may commit; `removed`, `invalidState`, `tooLarge`, `malformed`.
    public mutating func propose(
        _ proposal: Proposal, authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        switch proposal {
        case .update, .externalInit:
            throw MLSError(.invalidProposal, "a proposal that cannot be made this way")
        case .add, .remove, .preSharedKey, .reInit, .groupContextExtensions:
            try proposal.check(suite: suite)
            return try send(
                proposal, updateKey: nil, authenticatedData: authenticatedData, signer: signer, entropy: entropy)
        }
    }

    /// Proposes a fresh encryption key for one's own leaf (RFC 9420 §12.1.2); another member must commit it.
    ///
    /// - Returns: the proposal as MLSMessage.
    /// - Throws: `removed`, `invalidState`, `tooLarge`.
    public mutating func proposeUpdate(
        authenticatedData: [UInt8] = [], signer: SignaturePrivateKey, entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] {
        let (leaf, _) = try sendingLeaf(signer: signer)
        let key = try crypto.generateHPKEKey(entropy)
        let updated = try LeafNode(
            encryptionKey: key.publicKey, profile: leaf.profile, source: .update,
            placement: .init(groupID: groupID, leafIndex: ownLeaf), signer: signer, crypto: crypto)
        return try send(
            .update(updated), updateKey: key, authenticatedData: authenticatedData, signer: signer, entropy: entropy)
    }

    /// Remembers a received proposal until the epoch ends. One that is there already changes nothing.
    ///
    /// - Throws: `invalidState` when the group has left the proposal's epoch; `tooLarge` when there are too many.
    public mutating func storeProposal(_ proposal: PendingProposal) throws(MLSError) {
        if proposal.epoch != epoch { throw MLSError(.invalidState, "the proposal's epoch is over") }
        if let number = try proposals.insert(proposal) { journal.touch(.proposal(number)) }
        consume(proposal.sealedWith)
    }

    /// Takes the key of a handshake message that has been opened earlier.
    mutating func consume(_ key: (id: SecretTree.RatchetID, generation: UInt32)?) {
        guard let key else { return }
        do {
            // Worked out anew: other messages of the sender may have been opened since this one.
            consume(try current.messageKeys.secretTree.key(for: key.id, generation: key.generation, crypto: crypto))
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
