/// What a member decides for itself; none of it is agreed with the group.
public struct GroupConfiguration: Sendable {
    /// Whether own proposals and commits are sent as PrivateMessage. If false, they are sent as PublicMessage, so that
    /// a server can order them.
    public var handshakeEncryption = false
    /// Plaintexts are padded with zeros up to a multiple of this many bytes, at most ``Limits/paddingBlock``; 0 or 1
    /// means no padding.
    public var paddingBlock = 256
    /// Zeros added to every plaintext beyond what ``paddingBlock`` asks for, in bytes. Not stored with a
    /// ``StagedCommit``.
    public var padding = 0
    /// Past epochs whose late messages can still be opened.
    public var pastEpochs = Limits.pastEpochs
    /// Whether a member may change its credential by an Update, a commit or an external commit that removes its older
    /// self. If false, such a message is refused, so that no one takes another's name (RFC 9420 §5.3.1 leaves this to
    /// the application).
    public var allowsCredentialChange = false
    /// Whether strangers may propose their own Add (RFC 9420 §12.1.8, `new_member_proposal`). If false, such a message
    /// is refused, because the next commit would admit anyone who asks. If true, look at ``PendingProposal/origin``
    /// before storing one.
    public var acceptsNewMemberProposals = false
    /// Whether application data waits until all known proposals are committed (RFC 9420 §12.4):
    /// ``Group/protect(_:authenticatedData:signer:entropy:)`` is refused while there are ``Group/pendingProposals``. If
    /// false, that is left to the caller. Not stored with a ``StagedCommit``.
    public var commitsBeforeData = false
    /// The longest leaf node, in bytes, that a new or changed member may bring; never more than
    /// ``Limits/leafNodeLength``. All members of a group should have the same limit.
    public var leafNodeLength = 16 << 10
    /// The longest lifetime, in seconds from its first to its last, that a leaf node may have; nil for any. An
    /// application has to set it (RFC 9420 §7.2), the same for all members of a group, because a member who refuses a
    /// leaf stays behind. Not stored with a ``StagedCommit``.
    public var longestLifetime: UInt64?
    /// Whether leaf nodes and GroupInfos that this member makes carry meaningless values (RFC 9420 §13.5).
    public var sendsGREASE = false
    /// Proposals that a commit may not contain, by value or by reference: such a commit is refused with
    /// `invalidProposal`. All members of a group should refuse the same ones, because a member who refuses what others
    /// accept stays behind. Not stored with a ``StagedCommit``.
    public var refusedProposals: Set<ProposalType> = []
    /// Judges credentials.
    public var authentication: any AuthenticationService = BasicAuthenticationService()

    public init() {}
}

extension GroupConfiguration {
    /// - Throws: `tooLarge`.
    func checkLength(of leaf: LeafNode) throws(MLSError) {
        let length = leaf.encodedLength
        if length > leafNodeLength { throw MLSError(.tooLarge, "a leaf node of \(length) bytes") }
    }

    /// - Throws: `invalidLeafNode`.
    func checkLifetime(of leaf: LeafNode) throws(MLSError) {
        guard let longestLifetime, case .keyPackage(let lifetime) = leaf.source else { return }
        if lifetime.total > longestLifetime {
            throw MLSError(.invalidLeafNode, "a leaf node with a lifetime of \(lifetime.total) seconds")
        }
    }
}
