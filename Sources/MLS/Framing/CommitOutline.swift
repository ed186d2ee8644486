/// What a commit in a PublicMessage shows to anyone without its group's keys. Nothing is verified.
package struct CommitOutline: Hashable, Sendable {
    /// The committer's leaf; nil for an external commit.
    package let author: LeafIndex?
    /// The encryption key of the committer's new leaf, which is fresh (RFC 9420 §7.5): no other leaf has it. Nil for a
    /// commit without a path.
    package let leafKey: [UInt8]?
    /// Who the author of an external commit claims to be (RFC 9420 §12.4.3.2); nil for members.
    package let newcomer: Credential?
    /// What its own proposals do.
    package let proposals: ProposalSummary
    /// Whether it refers to proposals in other messages, and may change more leaves than are named here.
    package let hasReferences: Bool

    /// The leaves that its own proposals empty.
    package var removes: [LeafIndex] { proposals.removes }

    init(_ commit: Commit, by sender: Sender) {
        author = sender.member
        leafKey = commit.path?.leafNode.encryptionKey
        newcomer = sender.member == nil ? commit.path?.leafNode.credential : nil
        var own: [Proposal] = []
        for case .proposal(let proposal) in commit.proposals { own.append(proposal) }
        proposals = ProposalSummary(own)
        hasReferences = own.count < commit.proposals.count
    }
}

/// What proposals ask for, as anyone can read it. Nothing is verified.
package struct ProposalSummary: Hashable, Sendable {
    package private(set) var adds: [Credential] = []
    package private(set) var removes: [LeafIndex] = []
    package private(set) var hasPreSharedKeys = false
    package private(set) var hasReInit = false
    package private(set) var changesExtensions = false

    init(_ proposals: [Proposal]) {
        for proposal in proposals {
            switch proposal {
            case .add(let keyPackage): adds.append(keyPackage.leafNode.credential)
            case .remove(let index): removes.append(index)
            case .preSharedKey: hasPreSharedKeys = true
            case .reInit: hasReInit = true
            case .groupContextExtensions: changesExtensions = true
            case .update, .externalInit: break
            }
        }
    }
}
