extension HTTPTransport {
    /// How to hear of events.
    public enum FeedKind: String, CaseIterable, Sendable {
        /// As a stream; by polling, for the rest of the transport's life, once that gets through and a stream does not.
        case auto
        /// As a stream of server-sent events.
        case sse
        /// By long-polling; on a server that does not know of it, by looking at everything at intervals.
        case poll
    }

    /// How to reach a server.
    public struct Options: Sendable {
        /// Where the server is: `https://host:port/prefix`. Without a scheme, `https://` is meant. A path prefix is kept.
        public var server: String
        /// A PEM file of the only certificate authorities to trust; nil for the system's. (An https proxy is judged by the system's in any case.)
        public var certificateAuthorities: String?
        /// The URL of a proxy; nil to do as the environment says (`https_proxy`, `http_proxy`, `all_proxy`), empty for none.
        public var proxy: String?
        /// Hosts to reach without a proxy, separated by commas; nil to do as the environment says (`no_proxy`).
        public var noProxy: String?
        /// A header for the bare session token in place of `Authorization: Bearer`.
        public var tokenHeader: String?
        public var userAgent = "waxwing"
        /// How long name look-up, connection, proxy and TLS may take together.
        public var connectTimeout: Duration = .seconds(15)
        /// How long one request may take from beginning to end.
        public var requestTimeout: Duration = .seconds(120)
        /// How long less than ``slowBytesPerSecond`` may go on within a request.
        public var slowTimeout: Duration = .seconds(30)
        public var slowBytesPerSecond = 10
        /// How long an event feed may be silent before it counts as broken. Servers write a comment every 15 seconds.
        public var feedSilenceTimeout: Duration = .seconds(45)
        /// How event feeds are opened.
        public var feed = FeedKind.auto
        /// How long an event stream may take to begin, before something seems to hold it back. For ``FeedKind/auto``.
        public var feedHeadTimeout: Duration = .seconds(20)
        /// So many streams in a row that end within ``feedShortLife`` are too many. For ``FeedKind/auto``.
        public var feedCutsMax = 3
        public var feedShortLife: Duration = .seconds(30)
        /// So many streams in a row that begin, and fall silent within ``feedShortLife``, are too many. For ``FeedKind/auto``.
        public var feedSilencesMax = 2
        /// Called with a sentence for people when ``FeedKind/auto`` turns to polling; once in the transport's life.
        public var onFallback: (@Sendable (String) -> Void)?
        /// How long the server is asked to wait for an event, in whole seconds.
        public var pollWait: Duration = .seconds(25)
        /// How much longer than it was asked to wait the answer to a poll may take.
        public var pollSlack: Duration = .seconds(20)
        /// The pause after a poll that was answered with nothing and long before its time.
        public var pollPause: Duration = .seconds(1)
        /// Bounds of the time between two looks at everything, on a server without long-polling.
        public var intervalMin: Duration = .seconds(2)
        public var intervalMax: Duration = .seconds(60)
        /// A look that takes many requests makes the interval longer, by so much for each of them.
        public var intervalPerRequest: Duration = .milliseconds(250)
        /// A number between 0 and 1 for each interval, which it moves by up to a quarter.
        public var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
        /// Largest body of an answer in bytes.
        public var answerSizeMax = 16 << 20
        /// Events kept for a slow reader; beyond that they are dropped and the reader is told so.
        public var feedBufferLength = 1024
        /// Connections to the server at a time, where it does not carry many requests over one.
        public var connectionsMax = 8

        public init(server: String) { self.server = server }
    }
}

/// The bounds that are not for the user to set.
enum Limits {
    /// Bytes of one answer's headers. curl bounds a line, not their number.
    static let headerBytes = 256 << 10
    /// Bytes of one server-sent event, and of one line of it.
    static let eventBytes = 64 << 10
    /// Bytes of an event id that is sent back.
    static let eventIDBytes = 256
    /// Logs whose last sequence number is remembered, to see whether there is traffic.
    static let watchedLogs = 10_000
    /// Characters of curl's own words in a reason.
    static let reasonLength = 200
}
