/// What a commit in a PublicMessage shows to anybody without its group's keys. None of it has been verified.
public struct CommitOutline: Hashable, Sendable {
    /// The committer's leaf; nil for one who comes in from outside.
    public let author: LeafIndex?
    /// The encryption key of the committer's new leaf, which is fresh (RFC 9420 §7.5): no other leaf has it. Nil for a commit without a path.
    public let leafKey: [UInt8]?
    /// The leaves that it empties by proposals of its own.
    public let removes: [LeafIndex]
    /// Whether it refers to proposals that stand elsewhere, and may change more leaves than are named here.
    public let hasReferences: Bool

    init(_ commit: Commit, by sender: Sender) {
        author = sender.member
        leafKey = commit.path?.leafNode.encryptionKey
        var (removes, hasReferences) = ([LeafIndex](), false)
        for listed in commit.proposals {
            switch listed {
            case .proposal(.remove(let index)): removes.append(index)
            case .proposal: break
            case .reference: hasReferences = true
            }
        }
        (self.removes, self.hasReferences) = (removes, hasReferences)
    }
}
