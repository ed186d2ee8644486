/// What went wrong in the MLS engine, and where.
///
/// Two errors are equal if their codes are; the reason is for people and holds no key, plaintext or token.
public struct MLSError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The kinds of failures.
    public enum Code: String, Hashable, Sendable {
        /// Bytes that are not a valid encoding (RFC 9420 §2.1), or that end too early or too late.
        case malformed
        /// A length, count or depth beyond ``Limits``.
        case tooLarge
        /// A protocol version, cipher suite, wire format, credential or extension we do not offer.
        case unsupported
        /// A signature does not verify.
        case invalidSignature
        /// A membership tag or confirmation tag does not match.
        case invalidTag
        /// An AEAD or HPKE ciphertext does not open, or does not hold the secret it should.
        case decryptionFailed
        /// A key that is not valid for its suite.
        case invalidKey
        /// A ratchet tree that breaks RFC 9420 §7.9 or §12.4.3.1.
        case invalidTree
        /// A leaf node that breaks RFC 9420 §7.3.
        case invalidLeafNode
        /// A key package that breaks RFC 9420 §10.1.
        case invalidKeyPackage
        /// A lifetime that has not begun or is over.
        case expired
        /// A proposal or proposal list that breaks RFC 9420 §12.1 or §12.2.
        case invalidProposal
        /// A commit that breaks RFC 9420 §12.4.
        case invalidCommit
        /// A Welcome or GroupInfo that breaks RFC 9420 §12.4.3.
        case invalidWelcome
        /// A credential that the ``AuthenticationService`` does not accept.
        case credentialRefused
        /// A Welcome for someone else.
        case notForUs
        /// The message belongs to another group.
        case wrongGroup
        /// The epoch is over, and its keys are gone (or were never ours).
        case epochTooOld
        /// The epoch has not been reached yet.
        case epochNotReached
        /// The generation was used already.
        case generationReused
        /// The generation is further ahead than ``Limits`` allows.
        case generationTooFarAhead
        /// A proposal or PSK that the commit refers to is not known here.
        case unknownReference
        /// A message sent by this member, which it cannot open itself.
        case ownMessage
        /// We are no longer a member.
        case removed
        /// The caller asked for something the state does not allow.
        case invalidState
        /// The crypto library refused.
        case cryptoFailure
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public static func == (a: MLSError, b: MLSError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
    public var description: String { "\(code.rawValue): \(reason)" }
}
