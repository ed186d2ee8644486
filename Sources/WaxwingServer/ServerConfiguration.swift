import Machine
import Logging

/// Everything the operator can choose. With the defaults, no configuration file is needed.
public struct ServerConfiguration: Sendable {
    /// What happens to a commit of a past epoch.
    public enum Ordering: String, Sendable, CaseIterable {
        /// It is refused with 409/301 and changes nothing.
        case strict
        /// It is stored like any other, and the members decide. So are bytes that are not an MLS message.
        case open
    }

    /// Who may register.
    public enum Registration: Hashable, Sendable {
        case open
        case closed
        /// Those who have a token of the database, see ``Administration``.
        case tokens
        /// These, and those who know this token, which neither counts nor expires.
        case token(String)
    }

    /// How requests that cost a password hash are limited.
    public enum RateLimit: Hashable, Sendable {
        case off
        /// At most this many registrations and logins a minute from one remote address.
        case perMinute(Int)
    }

    /// The cost of one password hash, RFC 7914 §2.
    public struct PasswordCost: Hashable, Sendable {
        /// N = 2^logN; memory is 128 · N · blockSize bytes, 128 MiB by default.
        public var logN: Int
        public var blockSize: Int
        public var parallelism: Int

        public init(logN: Int = 17, blockSize: Int = 8, parallelism: Int = 1) {
            self.logN = logN
            self.blockSize = blockSize
            self.parallelism = parallelism
        }
    }

    /// PEM files for HTTPS.
    public struct TLSFiles: Hashable, Sendable {
        public var certificateChain: String
        public var privateKey: String

        public init(certificateChain: String, privateKey: String) {
            self.certificateChain = certificateChain
            self.privateKey = privateKey
        }
    }

    /// Where to listen.
    public struct Address: Hashable, Sendable {
        public var host: String
        /// 0 lets the system pick a free port.
        public var port: Int

        public init(host: String, port: Int) {
            (self.host, self.port) = (host, port)
        }
    }

    /// The folder that holds `waxwing.sqlite`; made with mode 0700 if missing.
    public var dataDirectory: String
    public var host = "127.0.0.1"
    /// 0 lets the system pick a free port.
    public var port = 8080
    public var tls: TLSFiles?
    public var ordering = Ordering.strict
    public var registration = Registration.open
    public var rateLimit = RateLimit.perMinute(600)
    /// Failed logins a minute for one username from one remote address, unless `rateLimit` is off.
    public var failedLoginsPerMinute = 10
    /// Failed logins an hour for one account from addresses where its password was never right, unless `rateLimit` is
    /// off. Nil is without a limit.
    public var failedLoginsPerHour: Int64? = 100
    /// What one user may have and do.
    public var quotas = Quotas()
    /// Seconds a session lives after its last request.
    public var tokenTTL: Int64 = 30 * 86_400
    /// Seconds an escrowed invite waits for its invitee.
    public var inviteTTL: Int64 = 30 * 86_400
    /// Seconds any message is kept, whatever its group says; nil to keep them.
    public var retention: Int64?
    /// What new hashes cost. Cheaper ones are replaced when their passwords are next used.
    public var passwordCost = PasswordCost()
    /// Password hashes computed at once; each takes the memory that its cost says.
    public var hashesAtOnce = ServerLimits.hashesAtOnce
    /// Seconds between two comment lines on an event stream.
    public var heartbeat = 15.0
    /// Events that wait for one slow reader before it is told that it missed some.
    public var readerBuffer = 256
    /// Connections at once. Those of strangers give way to new ones; once all belong to people who are logged in, the
    /// next ones wait until one ends.
    public var connectionsMax = ServerConfiguration.possibleConnections
    /// Connections from one remote address at once, a quarter of them of strangers.
    public var connectionsPerAddress = 512
    /// Connections of one user at once; the oldest idle one makes room.
    public var connectionsPerUser = 128
    /// Proxies whose `X-Forwarded-For` is taken.
    public var trustedProxies = TrustedProxies()
    /// Seconds a TLS handshake may take.
    public var handshakeSeconds = 10.0
    /// Seconds a request's head may take.
    public var headerSeconds = 15.0
    /// Seconds a request's body may take.
    public var bodySeconds = 120.0
    /// Seconds a reader may leave an answer untouched that the system cannot hold.
    public var stallSeconds = 60.0
    /// Where `/healthz`, `/readyz` and `/metrics` are served; nil for nowhere.
    public var monitor: Address?
    /// What the requests are counted in. To have them counted, bootstrap `MetricsSystem` with it, once in a process.
    public var metrics = PrometheusMetrics()
    /// Whether each request is logged, without what it holds.
    public var logsRequests = false
    /// Whether each request is a span of swift-distributed-tracing.
    public var isTraced = false
    /// Seconds since 1970.
    public var clock: @Sendable () -> Int64 = systemClock
    /// Seconds since the machine started; no one sets this clock.
    public var uptime: @Sendable () -> Int64 = systemUptime
    public var logger = Logger(label: "waxwingd")

    /// As many as we want, or as the system's limit on open files allows.
    private static var possibleConnections: Int {
        max(1, min(ServerLimits.connections, (Machine.openFilesMax ?? .max) - ServerLimits.otherFiles))
    }

    public init(dataDirectory: String) {
        self.dataDirectory = dataDirectory
    }
}
