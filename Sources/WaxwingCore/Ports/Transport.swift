public import ConclaveProtocol

/// The way to one server. A transport carries requests and hears hints. It never retries and never waits between tries:
/// timers belong to the core.
public protocol Transport: Sendable {
    /// Sends one request and waits for the whole answer.
    ///
    /// Any HTTP status counts as an answer. Cancelling the task ends the request with outcome
    /// ``TransportError/Outcome/unknown`` (or `notSent` if nothing had left yet).
    /// - Throws: ``TransportError``.
    func send(_ request: APIRequest) async throws(TransportError) -> APIResponse

    /// Opens an event feed. The stream ends with a ``TransportError`` if the feed breaks, and without one if its reader
    /// cancels it. Its first element is always ``FeedEvent/opened``.
    ///
    /// - Parameter token: the session token.
    func events(token: SessionToken) -> AsyncThrowingStream<FeedEvent, any Error>
}

/// A hint from the server that there is something to fetch, never the data itself.
public enum FeedEvent: Hashable, Sendable {
    /// The server accepted the feed: what happens from now on will be heard. What happened before has to be fetched.
    case opened
    /// Something happened. The transport drops events that it does not understand.
    case event(ServerHint)
    /// The server dropped events because this reader was slow: look at everything again.
    case lagged
}

/// Why a request has no answer.
public struct TransportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Whether the server may have heard the request.
    public enum Outcome: String, Hashable, Sendable {
        /// Nothing of the request can have reached the server.
        case notSent
        /// The server may or may not have acted on the request.
        case unknown
    }

    /// What kind of trouble it is, for messages and exit codes.
    public enum Cause: String, Hashable, Sendable {
        /// By our clock, the certificate is not valid yet, or no longer.
        case certificateDate
        case unreachable, nameNotFound, timeout, badCertificate, tls, proxy, connectionLost, answerTooLarge, badAnswer,
            cancelled, other
        /// The server answered that it cannot answer now. Set by the core; a transport hands the answer on.
        case serverTrouble
        /// The server asks to be left alone for a while. Set by the core; a transport hands the answer on.
        case askedToWait
    }

    /// Whether the server itself said so: it is there, and every process leaves it alone until the time it named is
    /// over.
    public var isByServer: Bool { cause == .serverTrouble || cause == .askedToWait }

    /// Whether the connection was there, and broke before the whole answer had come.
    var isTornAnswer: Bool { outcome == .unknown && (cause == .timeout || cause == .connectionLost) }

    public let outcome: Outcome
    public let cause: Cause
    /// For people. Contains no token, body or header.
    public let reason: String
    /// The head of what was answered in place of an event feed; nil if nothing was, and for ordinary requests.
    public let head: ResponseHead?

    public init(_ outcome: Outcome, _ cause: Cause, _ reason: String, head: ResponseHead? = nil) {
        self.outcome = outcome
        self.cause = cause
        self.reason = reason
        self.head = head
    }

    public var description: String { reason }
}
