/// A server's answer, with an unparsed body.
public struct APIResponse: Hashable, Sendable {
    public var head: ResponseHead
    public var body: [UInt8]

    public init(head: ResponseHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }

    public init(status: Int, contentType: String, body: [UInt8]) {
        self.init(head: ResponseHead(status: status, contentType: contentType), body: body)
    }

    public var status: Int { head.status }
    /// The Content-Type header, empty if there was none.
    public var contentType: String { head.contentType }
    /// The server's clock by the Date header, in seconds since 1970 (UTC); nil if the header is missing or not a date.
    public var date: UInt64? { head.date }
}

/// The parts of an answer's head that a client needs.
public struct ResponseHead: Hashable, Sendable {
    public var status: Int
    /// The Content-Type header, empty if there was none.
    public var contentType: String
    /// The Retry-After header; nil if it is missing or cannot be understood.
    public var retryAfter: RetryAfter?
    /// The Date header, in seconds since 1970 (UTC); nil if it is missing or not a date.
    public var date: UInt64?

    public init(status: Int, contentType: String = "", retryAfter: RetryAfter? = nil, date: UInt64? = nil) {
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.date = date
    }

    /// How long the server asks to wait before the next request, in seconds; nil if it does not ask.
    ///
    /// A date is compared with the server's own clock if the answer tells it, so that ours need not be right.
    ///
    /// - Parameter now: our clock, in seconds since 1970 (UTC), for a server that does not tell its own.
    public func secondsToWait(now: UInt64) -> UInt64? {
        switch retryAfter {
        case .seconds(let seconds): return seconds
        case .date(let moment):
            let now = date ?? now
            return moment > now ? moment - now : 0
        case nil: return nil
        }
    }
}

/// A Retry-After header (RFC 9110 §10.2.3).
public enum RetryAfter: Hashable, Sendable {
    /// This many seconds after the answer.
    case seconds(UInt64)
    /// Not before this moment, in seconds since 1970 (UTC).
    case date(UInt64)

    /// - Parameter text: the value of the header; the result is nil if it is neither a number of seconds nor a date.
    public init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\t" }
        if let word = words.first, words.count == 1,
            word.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        {
            // A number with too many digits still means a long time.
            self = .seconds(UInt64(word) ?? .max)
        } else if let date = HTTPDate.seconds(text) {
            self = .date(date)
        } else {
            return nil
        }
    }
}
