/// What a server answered, with the body not yet looked at.
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
    /// The Content-Type header, empty where there was none.
    public var contentType: String { head.contentType }
    /// The server's clock by the Date header, in seconds since 1970 (UTC); nil where the header is missing or no date.
    public var date: UInt64? { head.date }
}

/// What the head of an answer says, as far as a client wants to know it.
public struct ResponseHead: Hashable, Sendable {
    public var status: Int
    /// The Content-Type header, empty where there was none.
    public var contentType: String
    /// The Retry-After header; nil where it is missing or says nothing that can be understood.
    public var retryAfter: RetryAfter?
    /// The Date header, in seconds since 1970 (UTC); nil where it is missing or no date.
    public var date: UInt64?

    public init(status: Int, contentType: String = "", retryAfter: RetryAfter? = nil, date: UInt64? = nil) {
        self.status = status
        self.contentType = contentType
        self.retryAfter = retryAfter
        self.date = date
    }

    /// How long the server asks to wait before the next request, in seconds; nil where it does not ask.
    ///
    /// A date is taken against the server's own clock where the answer tells it: whether ours is right does not matter then.
    ///
    /// - Parameter now: our clock, in seconds since 1970 (UTC), for a server that keeps its own to itself.
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
    /// So many seconds after the answer.
    case seconds(UInt64)
    /// Not before this moment, in seconds since 1970 (UTC).
    case date(UInt64)

    /// - Parameter text: the value of the header; nil comes of what is neither a number of seconds nor a date.
    public init?(_ text: String) {
        let words = text.split { $0 == " " || $0 == "\t" }
        if let word = words.first, words.count == 1,
            word.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        {
            // More digits than a number has still mean a long time.
            self = .seconds(UInt64(word) ?? .max)
        } else if let date = HTTPDate.seconds(text) {
            self = .date(date)
        } else {
            return nil
        }
    }
}
