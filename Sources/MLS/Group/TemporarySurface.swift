// The public face of Group in its final signatures; the bodies arrive in files of their own.

public struct PendingProposal: Hashable, Sendable {
    public let proposal: Proposal
    public let sender: LeafIndex?
    public let reference: ProposalRef
}

public struct Group: Sendable {
    public var configuration: GroupConfiguration
    public var groupID: [UInt8] { fatalError() }
    public var epoch: UInt64 { fatalError() }
    public var ownLeaf: LeafIndex { fatalError() }
    public var suite: CipherSuite { fatalError() }
    public var members: [Member] { fatalError() }
    public func member(at index: LeafIndex) -> Member? { fatalError() }
    /// The first member with a basic credential of this identity.
    public func member(identity: [UInt8]) -> Member? { fatalError() }
    public var ownMember: Member { fatalError() }
    public var epochAuthenticator: Secret { fatalError() }
    public var extensions: [Extension] { fatalError() }
    public var pendingProposals: [PendingProposal] { fatalError() }
    /// False after having been removed.
    public var isActive: Bool { fatalError() }

    public static func create(
        groupID: [UInt8], crypto: any SuiteCrypto, credential: Credential, signer: SignaturePrivateKey,
        extensions: [Extension] = [], lifetime: Lifetime, configuration: GroupConfiguration = .init(),
        entropy: any EntropySource
    ) throws(MLSError) -> Group { fatalError() }

    public static func join(
        welcome: [UInt8], bundles: [KeyPackageBundle], ratchetTree: [UInt8]? = nil, psks: [PreSharedKey] = [],
        crypto: any SuiteCrypto, configuration: GroupConfiguration = .init(), now: UInt64?
    ) throws(MLSError) -> (group: Group, usedKeyPackage: KeyPackageRef, confirmationTag: [UInt8]) { fatalError() }

    public static func externalCommit(
        groupInfo: [UInt8], ratchetTree: [UInt8]? = nil, credential: Credential, signer: SignaturePrivateKey,
        removePrior: Bool = false, authenticatedData: [UInt8] = [], psks: [PreSharedKey] = [],
        crypto: any SuiteCrypto, configuration: GroupConfiguration = .init(), now: UInt64?,
        entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit { fatalError() }

    public mutating func protect(
        _ plaintext: [UInt8], authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] { fatalError() }

    public mutating func unprotect(_ message: [UInt8]) throws(MLSError) -> ApplicationMessage { fatalError() }

    public func commit(
        _ proposals: [Proposal], includePending: Bool = true, forcePath: Bool = true,
        authenticatedData: [UInt8] = [], inlineTree: Bool = true, psks: [PreSharedKey] = [],
        signer: SignaturePrivateKey, now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit { fatalError() }

    /// Opens and checks a proposal or commit of the current epoch. Own commits that come back throw `ownMessage`:
    /// merge the staged one.
    public func process(_ message: [UInt8], psks: [PreSharedKey] = [], now: UInt64?) throws(MLSError) -> Incoming {
        fatalError()
    }

    public mutating func storeProposal(_ proposal: PendingProposal) throws(MLSError) { fatalError() }

    /// A stand-alone proposal as MLSMessage; it is stored here too.
    public mutating func propose(
        _ proposal: Proposal, authenticatedData: [UInt8] = [], signer: SignaturePrivateKey,
        entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] { fatalError() }

    /// An Update of one's own leaf, with a fresh encryption key.
    public mutating func proposeUpdate(
        authenticatedData: [UInt8] = [], signer: SignaturePrivateKey, entropy: any EntropySource
    ) throws(MLSError) -> [UInt8] { fatalError() }

    public mutating func merge(_ staged: StagedCommit) throws(MLSError) { fatalError() }

    public func groupInfo(
        signer: SignaturePrivateKey, extensions: [Extension] = [], inlineTree: Bool = true, externalPub: Bool = true
    ) throws(MLSError) -> [UInt8] { fatalError() }

    public func export(label: String, context: [UInt8], length: Int) throws(MLSError) -> Secret { fatalError() }

    public mutating func takeStateChanges() -> [StateChange] { fatalError() }

    public static func restore(
        _ records: [(key: [UInt8], value: [UInt8])], crypto: any SuiteCrypto,
        configuration: GroupConfiguration = .init()
    ) throws(MLSError) -> Group { fatalError() }
}

/// A commit that has been made or checked, and what the group is after it. Dropping it is dropping the commit.
public struct StagedCommit: Sendable {
    /// The commit as MLSMessage.
    public var message: [UInt8] { fatalError() }
    /// For the added members; MLSMessage.
    public var welcome: [UInt8]? { fatalError() }
    /// Own commits: GroupInfo of the new epoch with external_pub and (unless told otherwise) ratchet_tree; MLSMessage.
    public var groupInfo: [UInt8]? { fatalError() }
    public var groupID: [UInt8] { fatalError() }
    public var baseEpoch: UInt64 { fatalError() }
    /// The group in the new epoch; nil when the commit removes this member.
    public var next: Group? { fatalError() }
    public var committer: Member { fatalError() }
    public var changes: CommitChanges { fatalError() }
    public var authenticatedData: [UInt8] { fatalError() }
    public var confirmationTag: [UInt8] { fatalError() }

    public func serialized() -> [UInt8] { fatalError() }
    public init(serialized: [UInt8], crypto: any SuiteCrypto) throws(MLSError) { fatalError() }
}

