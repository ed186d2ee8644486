import ConclaveProtocol

/// Why a command cannot be carried out. Equal on the code.
public struct CoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What kind of failure it is.
    public enum Code: String, Hashable, Sendable {
        /// Nobody has logged in here yet.
        case notLoggedIn
        /// The profile belongs to another account.
        case otherAccount
        case unknownGroup
        case unknownUser
        case unknownInvite
        case unknownOutboxRow
        /// The group was left, removed from, or deleted.
        case groupClosed
        /// Not something a person may do here.
        case notAllowed
        /// A name, text or number that breaks a rule.
        case invalidInput
        /// What is stored does not fit together.
        case damaged
    }

    public let code: Code
    public let reason: String

    public init(_ code: Code, _ reason: String) {
        self.code = code
        self.reason = reason
    }

    public static func == (a: CoreError, b: CoreError) -> Bool { a.code == b.code }
    public func hash(into hasher: inout Hasher) { hasher.combine(code) }
    public var description: String { reason }
}
