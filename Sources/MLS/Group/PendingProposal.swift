/// A proposal that has been received or sent on its own and waits for a commit.
public struct PendingProposal: Sendable {
    public let proposal: Proposal
    /// The proposing member; nil for somebody outside of the group.
    public let sender: LeafIndex?
    /// What a commit calls it by.
    public let reference: ProposalRef
    let epoch: UInt64
    /// Own Updates: the new leaf's private key.
    let updateKey: HPKEPrivateKey?
    /// The key its message was opened with, to be consumed when it is stored.
    let step: SecretTree.Step?
}

/// The proposals of an epoch, in the order they came.
struct ProposalCache: Sendable {
    private(set) var entries: [PendingProposal] = []
    private var positions: [ProposalRef: Int] = [:]

    subscript(reference: ProposalRef) -> PendingProposal? { positions[reference].map { entries[$0] } }

    /// - Returns: its number, or nil when it was there already.
    /// - Throws: `tooLarge`.
    mutating func insert(_ proposal: PendingProposal) throws(MLSError) -> UInt32? {
        if positions[proposal.reference] != nil { return nil }
        if entries.count >= Limits.pendingProposals {
            throw MLSError(.tooLarge, "\(entries.count) proposals are pending in this epoch")
        }
        positions[proposal.reference] = entries.count
        entries.append(proposal)
        return UInt32(entries.count - 1)
    }
}
