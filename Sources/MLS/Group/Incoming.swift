/// The content of a handshake message. Nothing has been applied yet: the caller stores or merges it.
public enum Incoming: Sendable {
    /// For ``Group/storeProposal(_:)``.
    case proposal(PendingProposal)
    /// For ``Group/merge(_:)``.
    case commit(StagedCommit)
}

/// A plaintext with all that is known about its origin.
public struct ApplicationMessage: Hashable, Sendable {
    public let sender: Member
    public let epoch: UInt64
    public let generation: UInt32
    public let authenticatedData: [UInt8]
    public let plaintext: [UInt8]
}
