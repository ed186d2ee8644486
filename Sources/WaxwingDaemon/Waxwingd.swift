import Machine
import ArgumentParser
import Foundation
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
              waxwingd --config /etc/waxwing/waxwingd.toml

            `waxwingd help serve` lists the server's options. Each of them can also be set in a TOML file.
            SIGTERM and SIGINT stop it gracefully; SIGHUP reloads its certificate.
            """,
        version: "waxwingd \(waxwingVersion)",
        subcommands: [Serve.self, Admin.self, BackupCommand.self, RestoreCommand.self, CheckCommand.self],
        defaultSubcommand: Serve.self)

    static func main() async {
        PrivateMemory.closeForRelease()
        // If the reader of the log goes away, the server stays.
        StandardStreams.secure()
        do {
            let arguments = try ConfigurationFile.expand(
                Array(CommandLine.arguments.dropFirst()), subcommands: ["serve", "admin", "backup", "restore", "check"])
            await main(arguments)
        } catch {
            complain("\(error)")
            Foundation.exit(ExitCode.validationFailure.rawValue)
        }
    }
}

/// Written to standard error, whether or not anyone is listening there.
func complain(_ text: String) {
    // The exit code says it, too.
    _ = StandardStreams.write("waxwingd: \(text)\n", to: STDERR_FILENO)
}

/// Written without buffering, so that a script reading the line never waits.
func announce(_ line: String) {
    // If no one listens, the work is done anyway.
    _ = StandardStreams.write(line + "\n", to: STDOUT_FILENO)
}

/// Runs `body`, and turns what the library complains about into words and an exit code.
func explained<Value>(_ body: () async throws -> Value) async throws -> Value {
    do {
        return try await body()
    } catch let error as StartupError {
        complain("\(error)")
        throw ExitCode(error.exitCode)
    } catch let error as AdministrationError {
        complain("\(error)")
        throw ExitCode.failure
    }
}

extension StartupError {
    /// After sysexits.h: data error, unavailable, cannot create, configuration.
    fileprivate var exitCode: Int32 {
        switch code {
        case .backup: 65
        case .address: 69
        case .dataDirectory, .database: 73
        case .certificate: 78
        }
    }
}
