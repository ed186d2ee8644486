import Machine
import ArgumentParser
import Foundation
import Logging
import WaxwingServer

/// The server as a process: arguments in, one line when ready, an exit code that means something.
@main
struct Waxwingd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "waxwingd",
        abstract: "A small server for end-to-end encrypted groups, speaking the Conclave v1 protocol.",
        discussion: """
            Everything is in one SQLite file in the data directory. What was answered is on disk.

            Example:
              waxwingd --data /var/lib/waxwing --listen 127.0.0.1:8080
              waxwingd --data ./data --listen 0.0.0.0:8443 --tls-cert chain.pem --tls-key key.pem

            SIGTERM and SIGINT stop it gracefully.
            """)

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

    @Option(help: "Who may register: open, closed, or token (with --registration-token-file).")
    var registration: RegistrationMode?

    @Option(
        help: ArgumentHelp(
            "The file whose first line is the token for registering; implies --registration token.",
            valueName: "file"))
    var registrationTokenFile: String?

    @Option(
        help: ArgumentHelp(
            "The token on the command line, where every process of the machine can read it.", valueName: "token"))
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

    static func main() async {
        PrivateMemory.closeForRelease()
        // If the reader of the log goes away, the server stays.
        StandardStreams.secure()
        await main(nil)
    }

    func validate() throws {
        guard (tlsCert == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-cert and --tls-key go together.")
        }
        let hasToken = registrationToken != nil || registrationTokenFile != nil
        if registration == .token && !hasToken {
            throw ValidationError("--registration token needs --registration-token-file.")
        }
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
        let host = listen.host
        do {
            try await ConclaveServer(serverConfiguration(token)).run { port in
                announce("waxwingd listening on \(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)")
            }
        } catch let error as StartupError {
            // No one may be listening there; the exit code says it, too.
            _ = StandardStreams.write("waxwingd: \(error)\n", to: STDERR_FILENO)
            throw ExitCode(error.exitCode)
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
        }
        configuration.tokenTTL = tokenTTL
        configuration.inviteTTL = inviteTTL
        configuration.retention = retention
        configuration.rateLimit = rateLimit.limit
        #if DEBUG
            // The tests of the programs make hundreds of accounts, and none of them needs a password that is costly to guess.
            let environment = ProcessInfo.processInfo.environment
            if let cost = environment["WAXWING_PASSWORD_COST"].flatMap({ Int($0) }) {
                configuration.passwordCost.logN = cost
            }
        #endif
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

/// Written without buffering, so that a script reading the line never waits.
private func announce(_ line: String) {
    // If no one listens, the server serves anyway.
    _ = StandardStreams.write(line + "\n", to: STDOUT_FILENO)
}

extension StartupError {
    /// After sysexits.h: cannot create, unavailable, configuration.
    fileprivate var exitCode: Int32 {
        switch code {
        case .dataDirectory, .database: 73
        case .address: 69
        case .certificate: 78
        }
    }
}
