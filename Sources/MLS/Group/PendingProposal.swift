/// A proposal that has been received or sent on its own and waits for a commit.
public struct PendingProposal: Sendable {
    public let proposal: Proposal
    /// The proposer: a member, an external sender, or someone who wants to join.
    public let origin: Sender
    /// The reference that a commit uses for it.
    public let reference: ProposalRef
    let epoch: UInt64
    /// For own Updates: the new leaf's private key.
    let updateKey: HPKEPrivateKey?
    /// The key its message was sealed with, to be consumed when it is stored; nil for a PublicMessage.
    let sealedWith: (id: SecretTree.RatchetID, generation: UInt32)?

    /// The proposing member; nil for someone outside the group.
    public var sender: LeafIndex? { origin.member }
}

extension PendingProposal {
    var entry: ProposalList.Entry { .init(proposal: proposal, sender: origin, updateKey: updateKey) }

    /// The memory it takes, in shares of ``Limits/proposalShare`` bytes; at least 1.
    var shares: Int { 1 + proposal.encoded.count / Limits.proposalShare }

    /// Reads a proposal back from its record.
    ///
    /// - Throws: `malformed`, `invalidKey`.
    init(decoding record: [UInt8], epoch: UInt64, crypto: any SuiteCrypto) throws(MLSError) {
        let record = try ProposalRecord(decoding: record)
        var updateKey: HPKEPrivateKey?
        if let raw = record.updateKey { updateKey = try crypto.hpkeKey(raw: raw) }
        self.init(
            proposal: record.proposal, origin: record.origin, reference: record.reference, epoch: epoch,
            updateKey: updateKey, sealedWith: nil)
    }

    /// Checks whether some commit of its epoch could include it, alone or with others, judged by the proposal alone.
    ///
    /// ``ProposalTrial`` checks what depends on the other proposals: a Remove makes room for an Add of the same client.
    /// - Parameter signatures: whether to check signatures, which are the main cost; at most two.
    /// - Throws: what makes it invalid in any commit.
    func checkSoundness(in group: Group, signatures: Bool) throws(MLSError) {
        let crypto = group.crypto
        try proposal.check(suite: crypto.suite)
        switch proposal {
        case .add(let keyPackage):
            try group.configuration.checkLength(of: keyPackage.leafNode)
            try group.configuration.checkLifetime(of: keyPackage.leafNode)
            if signatures { try keyPackage.validate(crypto: crypto, now: nil) }
        case .update(let leaf):
            guard let sender, let old = group.current.tree[sender] else {
                throw MLSError(.invalidProposal, "an Update of nobody")
            }
            guard case .update = leaf.source, leaf.encryptionKey != old.encryptionKey else {
                throw MLSError(.invalidLeafNode, "the leaf node of an Update is not one of an Update")
            }
            if !group.configuration.allowsCredentialChange, leaf.credential != old.credential {
                throw MLSError(.invalidLeafNode, "\(sender) changes its credential")
            }
            try group.configuration.checkLength(of: leaf)
            if !signatures { return }
            try leaf.validateContent(crypto: crypto)
            try leaf.verifySignature(
                placement: .init(groupID: group.groupID, leafIndex: sender), crypto: crypto)
        case .remove(let index):
            if group.current.tree[index] == nil { throw MLSError(.invalidProposal, "a Remove of nobody") }
        case .externalInit: throw MLSError(.invalidProposal, "an ExternalInit in a member's commit")
        case .preSharedKey, .reInit, .groupContextExtensions: break
        }
    }
}
