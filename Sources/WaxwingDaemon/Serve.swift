import ArgumentParser
import Foundation
import Logging
import Metrics
import WaxwingServer

/// Serves until it is told to stop.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Run the server; the word serve can be left out.")

    @Option(help: ArgumentHelp("A TOML file with any of these options; the command line wins.", valueName: "file"))
    var config: String?

    @Option(help: ArgumentHelp("Folder for waxwing.sqlite; created if missing.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("Address and port; port 0 picks a free one.", valueName: "host:port"))
    var listen: ListenAddress = ListenAddress(host: "127.0.0.1", port: 8080)

    @Option(help: ArgumentHelp("PEM file with the certificate chain, for HTTPS.", valueName: "file"))
    var tlsCert: String?

    @Option(help: ArgumentHelp("PEM file with the certificate's private key.", valueName: "file"))
    var tlsKey: String?

    @Option(help: "Whether a commit for an epoch that is over is refused (strict) or stored (open).")
    var ordering: ServerConfiguration.Ordering = .strict

    @Option(help: "Who may register: open, closed, or token (see waxwingd admin token).")
    var registration: RegistrationMode?

    @Option(
        help: ArgumentHelp(
            "A file whose first line is a token without limit or expiry; implies --registration token.",
            valueName: "file"))
    var registrationTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "Such a token on the command line, where every process of the machine can read it.", valueName: "token"))
    var registrationToken: String?

    @Option(help: ArgumentHelp("How long a session lasts after its last request.", valueName: "seconds"))
    var tokenTTL: Int64 = 30 * 86_400

    @Option(help: ArgumentHelp("How long an invite waits for an answer.", valueName: "seconds"))
    var inviteTTL: Int64 = 30 * 86_400

    @Option(help: ArgumentHelp("Delete messages older than this, in all groups.", valueName: "seconds"))
    var retention: Int64?

    @Option(help: ArgumentHelp("Logins and registrations per minute from one address, or off.", valueName: "off|n"))
    var rateLimit: RateLimitArgument = RateLimitArgument(limit: .perMinute(600))

    @Option(help: "trace, debug, info, notice, warning, error or critical; the log goes to standard error.")
    var logLevel: Logger.Level = .notice

    @Flag(help: "Log every request: its id, route, status and time, but nothing of its content.")
    var accessLog = false

    @Option(
        help: ArgumentHelp(
            "Serve /healthz, /readyz and /metrics here, to anyone who can reach it.", valueName: "host:port"))
    var metricsListen: ListenAddress?

    @OptionGroup(title: "Bounds")
    var bounds: BoundsOptions

    func validate() throws {
        guard (tlsCert == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-cert and --tls-key go together.")
        }
        let hasToken = registrationToken != nil || registrationTokenFile != nil
        if let registration, registration != .token, hasToken {
            throw ValidationError("A registration token needs --registration token.")
        }
        if registrationToken != nil && registrationTokenFile != nil {
            throw ValidationError("Give the registration token or its file, not both.")
        }
        if registrationToken?.isEmpty == true { throw ValidationError("--registration-token is empty.") }
        for (name, seconds) in [
            ("--token-ttl", tokenTTL), ("--invite-ttl", inviteTTL), ("--retention", retention ?? 1),
        ] {
            guard (1...secondsMax).contains(seconds) else {
                throw ValidationError("\(name) takes 1 to \(secondsMax) seconds.")
            }
        }
    }

    func run() async throws {
        let token = try registrationTokenFile.map(firstLine(of:)) ?? registrationToken
        let scheme = tlsCert == nil ? "http" : "https"
        try await explained {
            try await ConclaveServer(serverConfiguration(token)).run(
                onMonitorReady: { [host = metricsListen?.host ?? ""] port in
                    announce("waxwingd metrics on http://\(bracketed(host)):\(port)")
                },
                onReady: { [host = listen.host] port in
                    announce("waxwingd listening on \(scheme)://\(bracketed(host)):\(port)")
                })
        }
    }

    private func serverConfiguration(_ registrationToken: String?) -> ServerConfiguration {
        var configuration = ServerConfiguration(dataDirectory: data)
        configuration.host = listen.host
        configuration.port = listen.port
        if let tlsCert, let tlsKey {
            configuration.tls = .init(certificateChain: tlsCert, privateKey: tlsKey)
        }
        configuration.ordering = ordering
        if let registrationToken {
            configuration.registration = .token(registrationToken)
        } else if registration == .closed {
            configuration.registration = .closed
        } else if registration == .token {
            configuration.registration = .tokens
        }
        configuration.tokenTTL = tokenTTL
        configuration.inviteTTL = inviteTTL
        configuration.retention = retention
        configuration.rateLimit = rateLimit.limit
        bounds.apply(to: &configuration)
        configuration.logsRequests = accessLog
        if let metricsListen {
            configuration.monitor = .init(host: metricsListen.host, port: metricsListen.port)
            MetricsSystem.bootstrap(configuration.metrics)
        }
        var logger = Logger(label: "waxwingd", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = logLevel
        configuration.logger = logger
        return configuration
    }
}

/// The first line of a small file.
private func firstLine(of path: String) throws -> String {
    let bytesMax = 4096
    guard let file = FileHandle(forReadingAtPath: path), let data = try file.read(upToCount: bytesMax),
        let line = String(decoding: data, as: UTF8.self).split(whereSeparator: \.isNewline).first
    else { throw ValidationError("\(path) cannot be read, or is empty.") }
    return String(line)
}

/// 100 years: no one means more, and sums with it cannot overflow.
private let secondsMax: Int64 = 100 * 366 * 86_400

private func bracketed(_ host: String) -> String { host.contains(":") ? "[\(host)]" : host }
