import NIOSSL
import ServiceLifecycle
import Synchronization
import UnixSignals

/// The certificate and key that new connections get; they can be replaced while the server runs.
final class Certificates: Sendable {
    private struct Pair {
        let chain: [NIOSSLCertificateSource]
        let key: NIOSSLPrivateKeySource

        var configuration: TLSConfiguration {
            var tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: key)
            // NIO's default is 1.0; RFC 8996 retires all before 1.2.
            tls.minimumTLSVersion = .tlsv12
            return tls
        }

        var override: NIOSSLContextConfigurationOverride {
            var override = NIOSSLContextConfigurationOverride()
            (override.certificateChain, override.privateKey) = (chain, key)
            return override
        }
    }

    private let files: ServerConfiguration.TLSFiles
    private let current: Mutex<Pair>

    /// - Throws: `StartupError` with the code `.certificate`.
    init(_ files: ServerConfiguration.TLSFiles) throws {
        self.files = files
        current = Mutex(try Self.read(files))
    }

    /// - Throws: `StartupError` with the code `.certificate`; then the present ones stay.
    func reload() throws {
        let new = try Self.read(files)
        current.withLock { $0 = new }
    }

    /// For HTTPS, with whatever certificate is current when a connection begins.
    func tlsConfiguration() -> TLSConfiguration {
        var tls = current.withLock { $0.configuration }
        tls.sslContextCallback = { _, promise in promise.succeed(self.current.withLock { $0.override }) }
        return tls
    }

    private static func read(_ files: ServerConfiguration.TLSFiles) throws -> Pair {
        do {
            let pair = Pair(
                chain: try NIOSSLCertificate.fromPEMFile(files.certificateChain).map { .certificate($0) },
                key: .privateKey(try NIOSSLPrivateKey(file: files.privateKey, format: .pem)))
            // Building the context checks that key and certificate belong together, before anyone gets them.
            _ = try NIOSSLContext(configuration: pair.configuration)
            return pair
        } catch {
            throw StartupError(
                .certificate,
                "cannot use the certificate \(files.certificateChain) with the key \(files.privateKey): \(error)")
        }
    }
}

/// Reads the certificate again at each SIGHUP.
struct CertificateReader: Service {
    let certificates: Certificates
    let store: ServerStore

    func run() async throws {
        await cancelWhenGracefulShutdown {
            for await _ in await UnixSignalsSequence(trapping: .sighup) {
                do {
                    try certificates.reload()
                    store.configuration.logger.notice("the certificate was read again")
                } catch {
                    store.configuration.logger.error("\(error); the old one stays")
                }
            }
        }
    }
}
