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
        /// Those who know this token.
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
        /// N = 2^logN; memory is 128 · N · blockSize bytes.
        public var logN: Int
        public var blockSize: Int
        public var parallelism: Int

        public init(logN: Int = 15, blockSize: Int = 8, parallelism: Int = 1) {
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
    /// Seconds a session lives after its last request.
    public var tokenTTL: Int64 = 30 * 86_400
    /// Seconds an escrowed invite waits for its invitee.
    public var inviteTTL: Int64 = 30 * 86_400
    /// Seconds any message is kept, whatever its group says; nil to keep them.
    public var retention: Int64?
    public var passwordCost = PasswordCost()
    /// Seconds between two comment lines on an event stream.
    public var heartbeat = 15.0
    /// Events that wait for one slow reader before it is told that it missed some.
    public var readerBuffer = 256
    /// Connections at once; the next ones wait until one ends.
    public var connectionsMax = ServerConfiguration.possibleConnections
    /// Seconds a request's body may take.
    public var bodySeconds = 120.0
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
