/// A member's view of an MLS group (RFC 9420).
///
/// A group is a value and does no IO. It changes in two steps: `commit` and ``process(_:psks:now:stored:)`` compute the
/// result and leave the group alone; ``merge(_:)`` applies it. After each mutating call
/// ``takeStateChanges(leavingProposalsInStore:)`` returns the records to store.
public struct Group: Sendable {
    public var configuration: GroupConfiguration
    let crypto: any SuiteCrypto
    var current: EpochState
    /// Oldest first.
    var pastEpochs: [PastEpoch] = []
    var proposals = ProposalCache()
    /// Set by a commit with a ReInit: this group sends nothing any more (RFC 9420 §12.4.2).
    var successor: ReInit?
    var journal = Journal()
    /// The leaf whose Welcome added this member; nil if it joined in another way, and after the group was restored.
    public internal(set) var welcomer: LeafIndex?

    init(configuration: GroupConfiguration, crypto: any SuiteCrypto, current: EpochState, successor: ReInit? = nil) {
        self.configuration = configuration
        self.crypto = crypto
        self.current = current
        self.successor = successor
    }
}

extension Group {
    public var groupID: [UInt8] { current.context.groupID }
    public var epoch: UInt64 { current.context.epoch }
    public var suite: CipherSuite { crypto.suite }
    public var ownLeaf: LeafIndex { current.ownLeaf }
    public var groupContext: GroupContext { current.context }
    /// The GroupContext's extensions.
    public var extensions: [Extension] { current.context.extensions }
    /// Equal for all members of the epoch and for no one else (RFC 9420 §8.7).
    public var epochAuthenticator: Secret { current.epochAuthenticator }
    /// The tag of the commit that began this epoch.
    public var confirmationTag: [UInt8] { current.confirmationTag }
    /// False once this member has been removed.
    public var isActive: Bool { current.own != nil }
    /// The parameters of the group that follows this one, once a commit has ended it.
    public var reInit: ReInit? { successor }

    /// The ratchet tree as `optional<Node> ratchet_tree<V>` (RFC 9420 §12.4.3.3), for joiners whose Welcome or
    /// GroupInfo does not carry it.
    public var ratchetTree: [UInt8] { current.tree.encoded }

    /// All members in ascending order of leaves. Takes time proportional to the size of the group.
    public var members: [Member] { current.tree.members.map { Member($0.1, at: $0.0) } }

    /// The member at a leaf; nil for a blank leaf, or one outside the tree.
    public func member(at index: LeafIndex) -> Member? {
        current.tree[index].map { Member($0, at: index) }
    }

    /// The encryption key of the leaf there; nil for a blank leaf. Each new leaf of a member brings a fresh one (RFC
    /// 9420 §7.5).
    package func leafKey(at index: LeafIndex) -> [UInt8]? { current.tree[index]?.encryptionKey }

    /// The encryption keys of all leaves, in ascending order. Takes time proportional to the size of the group.
    package var leafKeys: [[UInt8]] { current.tree.members.map { $0.1.encryptionKey } }

    /// The first member with a basic credential of this identity.
    public func member(identity: [UInt8]) -> Member? {
        for (index, leaf) in current.tree.members where leaf.credential == .basic(identity: identity) {
            return Member(leaf, at: index)
        }
        return nil
    }

    /// This member itself; nil once it has been removed.
    public var ownMember: Member? { isActive ? member(at: ownLeaf) : nil }

    /// Proposals of this epoch that wait for a commit of this member, in the order they came; at most
    /// ``Limits/waitingProposals``.
    ///
    /// RFC 9420 §12.4 asks a member that has any of them to commit before it sends application data;
    /// ``protect(_:authenticatedData:signer:entropy:)`` leaves that to the caller, unless
    /// ``GroupConfiguration/commitsBeforeData`` says otherwise.
    public var pendingProposals: [PendingProposal] { proposals.entries }

    /// MLS-Exporter (RFC 9420 §8.5).
    ///
    /// - Parameter length: in bytes, at most 255 hash lengths.
    /// - Throws: `removed`, `tooLarge`.
    public func export(label: String, context: [UInt8], length: Int) throws(MLSError) -> Secret {
        if length < 0 || length > 255 * suite.hashLength { throw MLSError(.tooLarge, "an export of \(length) bytes") }
        return try ownSecrets().epoch.export(label: label, context: context, length: length, crypto: crypto)
    }

    /// - Throws: `removed`.
    func ownSecrets() throws(MLSError) -> EpochState.OwnSecrets {
        guard let own = current.own else { throw MLSError(.removed, "this member has been removed") }
        return own
    }

    /// What a member needs to send, after checking that the signer is the one the group knows.
    ///
    /// - Throws: `removed`, `invalidState`.
    func sendingLeaf(signer: SignaturePrivateKey) throws(MLSError) -> (leaf: LeafNode, own: EpochState.OwnSecrets) {
        let own = try ownSecrets()
        if successor != nil { throw MLSError(.invalidState, "the group has been ended by a ReInit") }
        guard let leaf = current.tree[ownLeaf] else { throw MLSError(.removed, "this member has no leaf") }
        if leaf.signatureKey != signer.publicKey {
            throw MLSError(.invalidState, "the signature key is not the one of this member's leaf")
        }
        return (leaf, own)
    }

    /// A member as it was in an epoch of the window; nil for a blank leaf.
    func member(at index: LeafIndex, inEpoch epoch: UInt64) -> Member? {
        for past in pastEpochs where past.epoch >= epoch {
            if let then = past.replaced[index] { return then }
        }
        return member(at: index)
    }
}
