/// Why an age file, a recipient or an identity cannot be used. Two errors are equal when their codes are.
public struct AgeError: Error, Hashable, Sendable, CustomStringConvertible {
    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public static func == (a: AgeError, b: AgeError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
    public var description: String { reason }

    /// The kinds of errors.
    public enum Code: String, Hashable, Sendable {
        /// The header does not have this format, or breaks its rules.
        case malformedHeader
        /// The armor does not have this format, or breaks its rules.
        case malformedArmor
        /// A version, or a kind of recipient or identity, that this library does not know.
        case unsupported
        /// No identity opens it; or the passphrase is wrong, which for scrypt cannot be told from a damaged stanza.
        case wrongKey
        /// The header was changed after it was made: its MAC does not match.
        case damagedHeader
        /// A chunk does not authenticate.
        case damaged
        /// The file ends before its final chunk.
        case truncated
        /// Opening would take more work than the reader allows.
        case workFactorTooHigh
        /// An invalid recipient, identity or passphrase.
        case invalidKey
        /// The source of the bytes fails.
        case unreadable
        /// OpenSSL has no memory, or lacks an algorithm.
        case failed
    }
}
