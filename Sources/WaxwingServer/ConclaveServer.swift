import Foundation
import Hummingbird
import HummingbirdCore
import HummingbirdHTTP2
import HummingbirdTLS
import Logging
import NIOCore
import NIOSSL
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

    /// Opens the database and reads the TLS files, but opens no socket yet.
    ///
    /// - Throws: `StartupError`.
    public init(_ configuration: ServerConfiguration) throws {
        self.configuration = configuration
        http = try Self.serverBuilder(configuration.tls)
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
    /// - Parameter onReady: called once with the port that the server listens on.
    /// - Throws: `StartupError` with the code `.address` if it cannot listen on the port.
    public func run(
        handlingSignals: Bool = true, onReady: @escaping @Sendable (_ port: Int) async -> Void
    ) async throws {
        var settings = ServiceGroupConfiguration(
            // Stopped in reverse order: the streams end first, or the listener would wait for them.
            services: [
                application(onReady: onReady), Housekeeping(store: store),
                StreamKeeper(bus: store.bus, heartbeat: configuration.heartbeat),
            ],
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

    private func cannotListen(_ error: any Error) -> StartupError {
        StartupError(.address, "cannot listen on \(configuration.host):\(configuration.port): \(error)")
    }

    private func application(onReady: @escaping @Sendable (Int) async -> Void) -> some Service {
        let logger = configuration.logger
        return Application(
            responder: Responder(store: store, accounts: accounts, configuration: configuration),
            server: http,
            configuration: ApplicationConfiguration(
                address: .hostname(configuration.host, port: configuration.port), serverName: nil,
                availableConnectionsDelegate: MaximumAvailableConnections(
                    configuration.connectionsMax, logger: logger)),
            onServerRunning: { channel in await onReady(channel.localAddress?.port ?? 0) },
            logger: logger)
    }

    private static func serverBuilder(_ files: ServerConfiguration.TLSFiles?) throws -> HTTPServerBuilder {
        let http1 = HTTP1Channel.Configuration(idleTimeout: .seconds(ServerLimits.idleSeconds))
        guard let files else { return .http1(configuration: http1) }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(files.certificateChain)
            let key = try NIOSSLPrivateKey(file: files.privateKey, format: .pem)
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
            // NIO's default is 1.0; RFC 8996 retires all before 1.2.
            tls.minimumTLSVersion = .tlsv12
            // Building the context checks that key and certificate belong together, before the server listens.
            _ = try NIOSSLContext(configuration: tls)
            return try .http2Upgrade(
                tlsConfiguration: tls,
                configuration: .init(idleTimeout: .seconds(ServerLimits.idleSeconds), streamConfiguration: http1))
        } catch {
            throw StartupError(
                .certificate,
                "cannot use the certificate \(files.certificateChain) with the key \(files.privateKey): \(error)")
        }
    }
}
