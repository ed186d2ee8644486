/// Judges whether credentials are true: the part of authentication that RFC 9420 §5.3.1 leaves to the application.
///
/// A ``Group`` asks the service of its ``GroupConfiguration`` about everybody who comes into its view: all members and external senders
/// when it joins, and then each new leaf and each new external sender before a commit that brings it is made or taken. All members of a
/// group should come to the same answers, as whoever refuses a commit stays behind.
public protocol AuthenticationService: Sendable {
    /// Whether somebody may present a credential together with a signature key. What is refused makes the message around it fail with
    /// `credentialRefused`.
    func accepts(_ claim: CredentialClaim) -> Bool

    /// What stands for a client across groups: two credentials are of one client when their identifiers are equal.
    ///
    /// It decides who is "the same member" in a group that follows or branches off another one (RFC 9420 §11.2, §11.3).
    func clientIdentifier(of credential: Credential) -> [UInt8]

    /// Whether a commit is refused that would bring a client into a group where it is already, by ``clientIdentifier(of:)``
    /// (RFC 9420 §12.2). Two leaves with one signature key are refused in any case.
    var admitsEachClientOnce: Bool { get }
}

extension AuthenticationService {
    /// The encoded credential.
    public func clientIdentifier(of credential: Credential) -> [UInt8] { credential.encoded }
    /// Not so: a credential may be of a person, who has several clients.
    public var admitsEachClientOnce: Bool { false }
}

/// Takes every basic credential at its word and refuses all others, which only an application can judge.
public struct BasicAuthenticationService: AuthenticationService {
    public init() {}

    public func accepts(_ claim: CredentialClaim) -> Bool { claim.credential.type == .basic }
}

/// Somebody's word on who they are, for an ``AuthenticationService`` to judge.
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
        /// The path of an external commit: somebody who joins by themselves.
        case externalCommit
        /// The group's `external_senders` extension (RFC 9420 §12.1.8.1).
        case externalSender
    }

    public let source: Source
    public let credential: Credential
    /// The key that this credential is to vouch for.
    public let signatureKey: [UInt8]
    public let suite: CipherSuite
    public let groupID: [UInt8]
    /// Nil for external senders, and for an Add that is only proposed.
    public let leaf: LeafIndex?
    /// The credential that this one takes the place of: the old one of the same leaf, or that of the member an external commit removes.
    public let replaced: Credential?
}
