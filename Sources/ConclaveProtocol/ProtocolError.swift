/// What a server answered instead of the expected answer.
///
/// Two errors are equal when kind and status are; ``reason`` is for people and holds no token and no body.
public struct ProtocolError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What came instead of the answer.
    public enum Kind: Hashable, Sendable {
        /// The server refused and gave its code. `message` is the server's own text, without control characters and at
        /// most ``ProtocolLimits/messageLength`` characters; trust it no more than any stranger's.
        case refused(status: Int, code: ErrorCode, message: String)
        /// An HTTP error with a plain-text or empty body: a malformed path or query (400), an unknown path (404), a
        /// wrong method (405), a body too large (413), too many requests (429), a server in trouble (5xx).
        case plain(status: Int)
        /// Something other than a Conclave server answered: HTML (a captive portal, whatever its status), a redirect,
        /// any other content type.
        case notOurServer
        /// Bytes that are not a protobuf message, or a message that breaks the protocol.
        case malformed
    }

    public let kind: Kind
    /// The HTTP status the answer came with.
    public let status: Int
    public let reason: String
    /// What the head of the answer said.
    public internal(set) var head: ResponseHead?

    init(_ kind: Kind, status: Int, _ reason: String) {
        self.kind = kind
        self.status = status
        self.reason = reason
    }

    /// The server's error code; nil if there was none.
    public var code: ErrorCode? {
        if case .refused(_, let code, _) = kind { code } else { nil }
    }

    /// The token is unknown or expired: log in again.
    ///
    /// Use this only for ordinary requests. A wrong password on login, change-password and delete-account has the same
    /// code.
    public var isSessionOver: Bool { code == .tokenInvalid }

    /// What an answer says about the server as a whole, whatever the request was.
    public enum ServerTrouble: Hashable, Sendable {
        /// It asks for fewer requests, or to be asked again later (429, or any 5xx with Retry-After).
        case asksToWait
        /// It cannot answer now (408, 425, any other 5xx).
        case inTrouble
        /// Something else answered.
        case notOurs
    }

    /// The trouble because of which no one has judged the request: it may succeed later, when the trouble is over. Nil
    /// if the error is about the request.
    public var serverTrouble: ServerTrouble? {
        switch status {
        case 429: .asksToWait
        case 500...599 where head?.retryAfter != nil && kind != .notOurServer: .asksToWait
        case _ where kind == .notOurServer: .notOurs
        case 408, 425, 500...599: .inTrouble
        default: nil
        }
    }

    /// Whether the same request may succeed later.
    public var isRetryable: Bool { serverTrouble != nil }

    public static func == (a: ProtocolError, b: ProtocolError) -> Bool { a.kind == b.kind && a.status == b.status }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        hasher.combine(status)
    }

    public var description: String { reason }
}

/// The codes of an ErrorResponse. Use these rather than the status: 401 also means not a member and not an admin.
public enum ErrorCode: Hashable, Sendable {
    case unspecified
    case badRequest
    case validation
    case authHeaderMissing
    case authHeaderMalformed
    /// Also the answer to a wrong password on login, change-password and delete-account.
    case tokenInvalid
    case notFound
    case conflict
    case forbidden
    /// Comes with HTTP status 401.
    case notMember
    /// Comes with HTTP status 401.
    case notAdmin
    case groupNotPublic
    case banned
    /// A number this version does not know.
    case unknown(Int)

    /// The number in the protocol.
    package var number: Int {
        if case .unknown(let number) = self { return number }
        return WireErrorCode.allCases.first { ErrorCode($0) == self }?.rawValue ?? 0
    }

    /// The code of a number in the protocol.
    package init(number: Int) { self = WireErrorCode(rawValue: number).map { ErrorCode($0) } ?? .unknown(number) }

    /// A name for programs, which keeps its meaning: the case, or the number of a code that this version does not know.
    public var token: String {
        if case .unknown(let number) = self { "\(number)" } else { "\(self)" }
    }

    init(_ wire: WireErrorCode) {
        self =
            switch wire {
            case .unspecified: .unspecified
            case .badRequest: .badRequest
            case .validation: .validation
            case .authHeaderMissing: .authHeaderMissing
            case .authHeaderMalformed: .authHeaderMalformed
            case .tokenInvalid: .tokenInvalid
            case .notFound: .notFound
            case .conflict: .conflict
            case .forbidden: .forbidden
            case .notMember: .notMember
            case .notAdmin: .notAdmin
            case .groupNotPublic: .groupNotPublic
            case .banned: .banned
            case .UNRECOGNIZED(let number): .unknown(number)
            }
    }
}
