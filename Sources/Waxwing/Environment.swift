import HTTPTransport
public import MLS
import MLSOpenSSL
public import WaxwingClient
public import WaxwingCore

/// What an account draws from outside itself, apart from its profile: the way to the server, time, and chance.
///
/// ``live`` is the machine's own. An app replaces single parts, such as the transport; tests and recordings replace all of it.
public struct Environment: Sendable {
    /// Makes the way to a server. May throw whatever says why there is none.
    public var transport: @Sendable (ServerRoute) throws -> any Transport
    public var clock: @Sendable () -> Moment
    public var entropy: any EntropySource
    public var pace: any Pace
    /// Lets milliseconds pass; throws when the task is cancelled.
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

    /// The same.
    ///
    /// - Parameter onFallback: told, in words, when the server's events have to be heard in another way than by a stream.
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

/// The way to a server, as a profile has it.
public struct ServerRoute: Hashable, Sendable {
    /// The base address: https, or http where that was allowed.
    public var url: String
    public var settings: ServerSettings
    public var transport: TransportKind
}
