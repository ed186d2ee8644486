import HTTPTransport
public import MLS
import MLSOpenSSL
public import WaxwingClient
public import WaxwingCore

/// What an account needs from outside, apart from its profile: the way to the server, time, and randomness.
///
/// ``live`` uses the machine's own. An app may replace single parts, such as the transport; tests and recordings
/// replace all of it.
public struct Environment: Sendable {
    /// Makes the way to a server. May throw any error that says why there is none.
    public var transport: @Sendable (ServerRoute) throws -> any Transport
    public var clock: @Sendable () -> Moment
    public var entropy: any EntropySource
    public var pace: any Pace
    /// Waits for some milliseconds; throws when the task is cancelled.
    public var sleep: @Sendable (_ milliseconds: UInt64) async throws -> Void

    public init(
        transport: @escaping @Sendable (ServerRoute) throws -> any Transport,
        clock: @escaping @Sendable () -> Moment = { .ofMachine }, entropy: any EntropySource = SystemEntropy(),
        pace: any Pace = LivePace(),
        sleep: @escaping @Sendable (UInt64) async throws -> Void = { milliseconds in
            try await Task.sleep(for: .milliseconds(milliseconds))
        }
    ) {
        self.transport = transport
        self.clock = clock
        self.entropy = entropy
        self.pace = pace
        self.sleep = sleep
    }

    /// The machine's network, clocks and randomness.
    public static var live: Environment { live(onFallback: { _ in }) }

    /// The machine's network, clocks and randomness.
    ///
    /// - Parameter onFallback: called with an explanation when the server's events cannot be received as a stream.
    public static func live(onFallback: @escaping @Sendable (String) -> Void) -> Environment {
        Environment(transport: { route in
            var options = HTTPTransport.Options(server: route.url)
            options.certificateAuthorities = route.settings.caFile
            options.proxy = route.settings.proxy
            options.tokenHeader = route.settings.tokenHeader
            switch route.transport {
            case .auto: options.feed = .auto
            case .sse: options.feed = .sse
            case .poll: options.feed = .poll
            case .replay: throw AccountError.recordedTransport
            }
            options.onFallback = onFallback
            return try HTTPTransport(options)
        })
    }
}

/// The way to a server, as the profile's settings give it.
public struct ServerRoute: Hashable, Sendable {
    /// The base address: https, or http if that was allowed.
    public var url: String
    public var settings: ServerSettings
    public var transport: TransportKind
}
