/// A proposal that has been received or sent on its own and waits for a commit.
public struct PendingProposal: Sendable {
    public let proposal: Proposal
    /// Who proposes: a member, an external sender, or somebody who wants to join.
    public let origin: Sender
    /// What a commit calls it by.
    public let reference: ProposalRef
    let epoch: UInt64
    /// Own Updates: the new leaf's private key.
    let updateKey: HPKEPrivateKey?
    /// The key its message was sealed with, to be consumed when it is stored; nil for a PublicMessage.
    let sealedWith: (id: SecretTree.RatchetID, generation: UInt32)?

    /// The proposing member; nil for somebody outside of the group.
    public var sender: LeafIndex? { origin.member }
}

/// The proposals of an epoch, in the order they came.
struct ProposalCache: Sendable {
    private(set) var entries: [PendingProposal] = []
    private var positions: [ProposalRef: Int] = [:]
    /// Of all of them, in bytes.
    private var length = 0

    subscript(reference: ProposalRef) -> PendingProposal? { positions[reference].map { entries[$0] } }

    /// - Returns: its number, or nil when it was there already.
    /// - Throws: `tooLarge` for one too many, or when all of them would be more than a commit can hold.
    mutating func insert(_ proposal: PendingProposal) throws(MLSError) -> UInt32? {
        if positions[proposal.reference] != nil { return nil }
        let length = length + proposal.proposal.encoded.count
        if entries.count >= Limits.pendingProposals || length > Limits.pendingProposalsLength {
            throw MLSError(.tooLarge, "\(entries.count) proposals are pending in this epoch")
        }
        self.length = length
        positions[proposal.reference] = entries.count
        entries.append(proposal)
        return UInt32(entries.count - 1)
    }
}
