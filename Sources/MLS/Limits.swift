/// The engine's limits, each with its reason. A peer cannot make us exceed them.
public enum Limits {
    /// Longest encoded vector that is read or written, in bytes. A ratchet tree of 10,000 members is about 8 MB.
    public static let vectorLength = 64 << 20
    /// How far ahead of the next expected generation a message may be. Each step costs two key derivations and is kept
    /// as a skipped key.
    public static let forwardGenerations: UInt32 = 1024
    /// Skipped message keys kept per sender and epoch; the oldest go first.
    public static let skippedKeys = 2048
    /// Past epochs kept for late application messages (see the protocol's MLS parameters).
    public static let pastEpochs = 16
    /// Leaves of a ratchet tree. Limits the cost of a hostile tree.
    public static let leaves: UInt32 = 1 << 17
    /// One leaf node in bytes, certificates included, whatever ``GroupConfiguration/leafNodeLength`` says.
    public static let leafNodeLength = 1 << 16
    /// An encoded ratchet tree in bytes. Together with the rest of a GroupInfo it stays below ``vectorLength``, so that
    /// no member can bloat a group until no one is able to encode it.
    public static let treeLength = 56 << 20
    /// All extensions of a GroupContext in bytes. The context is hashed and signed with every message.
    public static let groupExtensionsLength = 1 << 16
    /// Proposals of one commit. A proposal by reference takes two bytes, but in memory as much as any other.
    public static let commitProposals = 1 << 14
    /// Proposals of one epoch that wait for a commit of one's own, in shares of ``proposalShare`` bytes: the memory
    /// they take. Those beyond are set aside, where only the commits of others find them.
    public static let waitingProposals = 4096
    /// The same for one other sender, so that no one takes the place of all others.
    public static let waitingProposalsOfOneSender = 512
    /// Bytes of a proposal that count as one share: few enough that long proposals do not take much more memory than
    /// many, and more than most have.
    public static let proposalShare = 1 << 10
    /// Application data and authenticated data of one message, in bytes each. Leaves room for framing below
    /// ``vectorLength``.
    public static let messageLength = 16 << 20
    /// The block that a message is padded to, in bytes. Every message costs as much.
    public static let paddingBlock = 1 << 20
    /// Waiting proposals that a committer considers for one commit. Each may cost the checks of three signatures: one
    /// before the commit and, if one of them turns out to be bad, one more to find it and one more without it.
    public static let triedProposals = 512
}
