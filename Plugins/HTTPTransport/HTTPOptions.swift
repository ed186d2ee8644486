/// How to reach a server.
public struct HTTPOptions: Sendable {
    /// How to receive events.
    public enum FeedKind: String, CaseIterable, Sendable {
        /// As a stream. Switches to polling, for the rest of the transport's life, once polling gets through and a
        /// stream does not.
        case auto
        /// As a stream of server-sent events.
        case sse
        /// By long-polling; if the server does not support it, by fetching everything at intervals.
        case poll
    }

    /// The server's address: `https://host:port/prefix`. Without a scheme, `https://` is meant. A path prefix is
    /// kept.
    public var server: String
    /// A PEM file of the only certificate authorities to trust; nil for the system's. (An https proxy is always
    /// checked against the system's.)
    public var certificateAuthorities: String?
    /// The URL of a proxy; nil to follow the environment (`https_proxy`, `http_proxy`, `all_proxy`), empty for
    /// none.
    public var proxy: String?
    /// Hosts to reach without a proxy, separated by commas; nil to follow the environment (`no_proxy`).
    public var noProxy: String?
    /// A header for the bare session token instead of `Authorization: Bearer`.
    public var tokenHeader: String?
    public var userAgent = "waxwing"
    /// How long name look-up, connection, proxy and TLS may take together.
    public var connectTimeout: Duration = .seconds(15)
    /// How long one request may take from beginning to end.
    public var requestTimeout: Duration = .seconds(120)
    /// How long a request may transfer less than ``slowBytesPerSecond``.
    public var slowTimeout: Duration = .seconds(30)
    public var slowBytesPerSecond = 10
    /// How long an event feed may be silent before it counts as broken. Servers write a comment every 15 seconds.
    public var feedSilenceTimeout: Duration = .seconds(45)
    /// How event feeds are opened.
    public var feed = FeedKind.auto
    /// How long an event stream may take to begin, before something seems to hold it back. For ``FeedKind/auto``.
    public var feedHeadTimeout: Duration = .seconds(20)
    /// How many consecutive streams that end within ``feedShortLife`` are too many. For ``FeedKind/auto``.
    public var feedCutsMax = 3
    public var feedShortLife: Duration = .seconds(30)
    /// How many consecutive streams that begin, and fall silent within ``feedShortLife``, are too many. For
    /// ``FeedKind/auto``.
    public var feedSilencesMax = 2
    /// Called with a sentence for people when ``FeedKind/auto`` switches to polling; once in the transport's life.
    public var onFallback: (@Sendable (String) -> Void)?
    /// How long the server is asked to wait for an event, in whole seconds.
    public var pollWait: Duration = .seconds(25)
    /// How much longer than the requested wait the answer to a poll may take.
    public var pollSlack: Duration = .seconds(20)
    /// The pause after a poll that was answered early and without events.
    public var pollPause: Duration = .seconds(1)
    /// The shortest and longest time between two fetches of everything, on a server without long-polling.
    public var intervalMin: Duration = .seconds(2)
    public var intervalMax: Duration = .seconds(60)
    /// How much each request of a fetch lengthens the interval.
    public var intervalPerRequest: Duration = .milliseconds(250)
    /// Returns a number between 0 and 1 for each interval, which it changes by up to a quarter.
    public var jitter: @Sendable () -> Double = { Double.random(in: 0..<1) }
    /// The largest body of an answer, in bytes.
    public var answerSizeMax = 16 << 20
    /// The number of events kept for a slow reader; beyond that they are dropped and the reader is told so.
    public var feedBufferLength = 1024
    /// The number of connections to the server at a time, if one does not carry many requests.
    public var connectionsMax = 8

    public init(server: String) { self.server = server }
}
