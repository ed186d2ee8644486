import Foundation

/// The real `waxwingd`, started and stopped as an operator would.
final class Daemon: @unchecked Sendable {
    let process = Process()
    let output = Pipe()
    let errors = Pipe()

    /// Beside the test bundle, where one build puts both.
    static var executable: URL {
        get throws {
            let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            return URL(fileURLWithPath: bundle).deletingLastPathComponent().appendingPathComponent("waxwingd")
        }
    }

    init(_ arguments: [String], environment: [String: String] = [:]) throws {
        process.executableURL = try Self.executable
        process.arguments = arguments
        // Hashes that cost nothing.
        process.environment = ProcessInfo.processInfo.environment
            .merging(["WAXWING_PASSWORD_COST": "4"]) { $1 }.merging(environment) { $1 }
        process.standardOutput = output
        process.standardError = errors
        try process.run()
    }

    /// The port in the line that says the server is ready.
    func port() async throws -> Int {
        try await onThread { [self] in
            var line = ""
            while !line.hasSuffix("\n") {
                let bytes = output.fileHandleForReading.readData(ofLength: 1)
                guard !bytes.isEmpty else { throw HTTPConnection.Failure(what: "waxwingd ended: \(errorText())") }
                line += String(decoding: bytes, as: UTF8.self)
            }
            guard line.hasPrefix("waxwingd listening on http"), let port = line.dropLast().split(separator: ":").last
            else { throw HTTPConnection.Failure(what: line) }
            return try Int(port).required
        }
    }

    func errorText() -> String {
        String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Exit status; a signal's number is negative.
    func exit() async throws -> Int32 {
        try await onThread { [self] in
            process.waitUntilExit()
            return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
        }
    }
}

/// What the `openssl` command prints.
func openssl(_ arguments: String, input: String = "") async throws -> String {
    try await onThread {
        let process = Process()
        let (stdin, stdout) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments.split(separator: " ").map(String.init)
        (process.standardInput, process.standardOutput) = (stdin, stdout)
        process.standardError = FileHandle.nullDevice
        try process.run()
        stdin.fileHandleForWriting.write(Data(input.utf8))
        try stdin.fileHandleForWriting.close()
        let text = stdout.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: text, as: UTF8.self)
    }
}

/// A self-signed certificate for localhost, in two files of the folder.
func makeCertificate(in directory: String, name: String = "chain", commonName: String = "localhost") async throws -> (
    chain: String, key: String
) {
    let (key, chain) = (directory + "/\(name)-key.pem", directory + "/\(name).pem")
    _ = try await openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(commonName) -days 1 "
            + "-keyout \(key) -out \(chain)")
    return (chain, key)
}

func withDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = try temporaryDirectory()
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try await body(directory)
}
