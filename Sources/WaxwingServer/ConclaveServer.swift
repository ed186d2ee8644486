import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import ServiceLifecycle

/// Seconds since 1970.
public func systemClock() -> Int64 { Int64(Date().timeIntervalSince1970) }

/// Seconds since the machine started, including the time it slept.
public func systemUptime() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec)
}

/// A Conclave v1 server over one SQLite file.
///
/// Everything it has answered is durable. Opening it takes the database; `run` serves until it is told to stop.
public struct ConclaveServer: Sendable {
    let configuration: ServerConfiguration
    let store: ServerStore

    private let accounts: AccountService
    private let http: HTTPServerBuilder
    private let certificates: Certificates?
    let roster: ConnectionRoster

    /// Opens the database and reads the TLS files, but opens no socket yet.
    ///
    /// - Throws: `StartupError`.
    public init(_ configuration: ServerConfiguration) throws {
        self.configuration = configuration
        roster = ConnectionRoster(
            caps: .init(
                all: configuration.connectionsMax, perAddress: configuration.connectionsPerAddress,
                perUser: configuration.connectionsPerUser),
            proxies: configuration.trustedProxies)
        certificates = try configuration.tls.map(Certificates.init)
        http = Self.serverBuilder(configuration, certificates, roster: roster)
        let database = try ServerDatabase(directory: configuration.dataDirectory)
        let bus = EventBus(boot: database.boot, readerBuffer: configuration.readerBuffer)
        store = ServerStore(
            database: database, bus: bus, configuration: configuration,
            expiry: Expiry(
                Expiry.Reading(wall: configuration.clock(), uptime: configuration.uptime()),
                lastTrusted: try database.trustedClock()))
        accounts = try AccountService(store: store, configuration: configuration)
    }

    /// Serves until SIGTERM or SIGINT; then ends event streams, lets requests in progress finish for up to three
    /// seconds, and closes the database. Cancelling the surrounding task stops at once.
    ///
    /// - Parameters:
    ///   - onMonitorReady: called once with the port of the monitor, if there is one.
    ///   - onReady: called once with the port that the server listens on.
    /// - Throws: `StartupError` with the code `.address` if it cannot listen on the port.
    public func run(
        handlingSignals: Bool = true, onMonitorReady: @escaping @Sendable (_ port: Int) async -> Void = { _ in },
        onReady: @escaping @Sendable (_ port: Int) async -> Void
    ) async throws {
        var services: [any Service] = []
        if let address = configuration.monitor {
            let monitor = Monitor(store: store, roster: roster, metrics: configuration.metrics)
            services.append(monitor.application(on: address, onReady: onMonitorReady))
        }
        // Stopped in reverse order: the streams end first, or the listener would wait for them.
        services += [
            application(onReady: onReady), Housekeeping(store: store), NewsReader(store: store),
            StreamKeeper(bus: store.bus, heartbeat: configuration.heartbeat),
        ]
        if handlingSignals, let certificates {
            services.append(CertificateReader(certificates: certificates, store: store))
        }
        try await sayHowToRegister()
        var settings = ServiceGroupConfiguration(
            services: services,
            gracefulShutdownSignals: handlingSignals ? [.sigterm, .sigint] : [],
            logger: configuration.logger)
        settings.maximumGracefulShutdownDuration = .seconds(ServerLimits.stopSeconds)
        let result: Result<Void, any Error>
        do {
            result = .success(try await ServiceGroup(configuration: settings).run())
        } catch {
            result = .failure(error)
        }
        try store.database.close()
        do {
            try result.get()
        } catch let error as IOError {
            throw cannotListen(error)
        } catch let error as SocketAddressError.UnknownHost {
            throw cannotListen(error)
        }
    }

    /// The first start of a server that wants tokens.
    private func sayHowToRegister() async throws {
        switch configuration.registration {
        case .tokens: break
        case .open, .closed, .token: return
        }
        let isNew = try await store.read { transaction in
            try !transaction.exists("SELECT 1 FROM user")
                && !transaction.exists("SELECT 1 FROM registration_token")
        }
        guard isNew else { return }
        configuration.logger.notice(
            "no one can register yet; the first token is made by: waxwingd admin token create --data \(configuration.dataDirectory)"
        )
    }

    private func cannotListen(_ error: any Error) -> StartupError {
        let monitor = configuration.monitor.map { ", or on \($0.host):\($0.port)" } ?? ""
        return StartupError(
            .address, "cannot listen on \(configuration.host):\(configuration.port)\(monitor): \(error)")
    }

    private func application(onReady: @escaping @Sendable (Int) async -> Void) -> some Service {
        let logger = configuration.logger
        let application = Application(
            router: Responder(store: store, accounts: accounts, roster: roster, configuration: configuration).router(),
            server: http,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.connectionsMax, logger: logger)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: logger)
        return Listener(application: application, roster: roster, grace: ServerLimits.graceSeconds)
    }

    private static func serverBuilder(
        _ configuration: ServerConfiguration, _ certificates: Certificates?, roster: ConnectionRoster
    ) -> HTTPServerBuilder {
        let deadlines = ConnectionDeadlines(
            handshake: configuration.handshakeSeconds, header: configuration.headerSeconds,
            strangerIdle: ServerLimits.strangerIdleSeconds, stall: configuration.stallSeconds)
        let http1 = HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestWatch()], idleTimeout: .seconds(ServerLimits.idleSeconds))
        guard let certificates else {
            return HTTPServerBuilder { responder in
                GuardedChannel(
                    base: HTTP1Channel(responder: responder, configuration: http1), roster: roster,
                    deadlines: deadlines, hasTLS: false)
            }
        }
        return HTTPServerBuilder { responder in
            GuardedChannel(
                base: try HTTP2UpgradeChannel(
                    tlsConfiguration: certificates.tlsConfiguration(),
                    configuration: .init(idleTimeout: .seconds(ServerLimits.idleSeconds), streamConfiguration: http1),
                    responder: responder),
                roster: roster, deadlines: deadlines, hasTLS: true)
        }
    }
}
