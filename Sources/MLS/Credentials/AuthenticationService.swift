/// Judges whether credentials are genuine: the part of authentication that RFC 9420 §5.3.1 leaves to the application.
///
/// A ``Group`` asks the service of its ``GroupConfiguration`` about everyone it sees: about all members and external
/// senders when it joins, and then about each new leaf and each new external sender before a commit that brings it is
/// made or accepted. All members of a group should get the same answers, because a member who refuses a commit stays
/// behind.
public protocol AuthenticationService: Sendable {
    /// Whether a client may present a credential together with a signature key. If it is refused, the message around it
    /// fails with `credentialRefused`.
    func accepts(_ claim: CredentialClaim) -> Bool

    /// Identifies a client across groups: two credentials belong to one client if their identifiers are equal.
    ///
    /// It decides who is "the same member" in a group that follows or branches off another one (RFC 9420 §11.2, §11.3).
    func clientIdentifier(of credential: Credential) -> [UInt8]

    /// Whether to refuse a commit that would bring a client into a group it is already in, by ``clientIdentifier(of:)``
    /// (RFC 9420 §12.2). Two leaves with one signature key are refused in any case.
    var admitsEachClientOnce: Bool { get }
}

extension AuthenticationService {
    /// The encoded credential.
    public func clientIdentifier(of credential: Credential) -> [UInt8] { credential.encoded }
    /// False: a credential may belong to a person, who has several clients.
    public var admitsEachClientOnce: Bool { false }
}

/// Accepts every basic credential as it is and refuses all others, which only an application can judge.
public struct BasicAuthenticationService: AuthenticationService {
    public init() {}

    public func accepts(_ claim: CredentialClaim) -> Bool { claim.credential.type == .basic }
}

/// A claim of identity, for an ``AuthenticationService`` to judge.
public struct CredentialClaim: Hashable, Sendable {
    /// What the claim came with.
    public enum Source: Hashable, Sendable {
        /// A member of a group that this client is joining.
        case joinedGroup
        /// The key package of an Add proposal.
        case add
        /// An Update proposal.
        case update
        /// The path of a member's commit.
        case commit
        /// The path of an external commit: a client that joins by itself.
        case externalCommit
        /// The group's `external_senders` extension (RFC 9420 §12.1.8.1).
        case externalSender
    }

    public let source: Source
    public let credential: Credential
    /// The key that this credential should vouch for.
    public let signatureKey: [UInt8]
    public let suite: CipherSuite
    public let groupID: [UInt8]
    /// Nil for external senders, and for an Add that is only proposed.
    public let leaf: LeafIndex?
    /// The credential that this one replaces: the old one of the same leaf, or that of the member an external commit
    /// removes.
    public let replaced: Credential?
}
