import ConclaveProtocol
import Foundation
import HTTPTransport
import Testing
import TransportConformance
import WaxwingCore

/// Certificates, against the TLS server of the openssl command.
@Suite struct TLSProcessTests {
    /// A TLS server with a certificate of its own for 127.0.0.1, which answers any GET with a page.
    private final class TLSServer {
        let port: UInt16
        let certificate: String
        private let folder: String
        private let process = Process()

        /// - Parameter isOver: whether the certificate ended yesterday.
        init(subject: String, isOver: Bool = false, arguments: [String] = []) throws {
            folder = NSTemporaryDirectory() + "waxwing-tls-\(UUID().uuidString)"
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            certificate = folder + "/cert.pem"
            let key = folder + "/key.pem"
            let make = try Self.openssl([
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                "-subj", "/CN=test", "-addext", "subjectAltName=\(subject)", "-keyout", key, "-out", certificate,
            ])
            make.waitUntilExit()
            if isOver {
                let sign = try Self.openssl(
                    ["x509", "-in", certificate, "-signkey", key, "-days", "-1", "-out", certificate])
                sign.waitUntilExit()
            }
            port = try ScriptedServer.unusedPort()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments =
                [
                    "openssl", "s_server", "-quiet", "-www", "-accept", "127.0.0.1:\(port)", "-cert", certificate,
                    "-key", key,
                ]
                + arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            process.standardInput = FileHandle.nullDevice
            try process.run()
        }

        deinit {
            process.terminate()
            try? FileManager.default.removeItem(atPath: folder)
        }

        private static func openssl(_ arguments: [String]) throws -> Process {
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["openssl"] + arguments
            process.standardOutput = FileHandle.nullDevice
            process.standardError = FileHandle.nullDevice
            try process.run()
            return process
        }
    }

    /// Asks until the server is up.
    private func ask(_ server: TLSServer, trusting file: String?) async throws -> Result<APIResponse, TransportError> {
        var options = HTTPTransport.Options(server: "https://127.0.0.1:\(server.port)")
        options.proxy = ""
        options.certificateAuthorities = file
        let transport = try HTTPTransport(options)
        for _ in 0..<300 {
            do throws(TransportError) {
                return .success(try await transport.send(APIRequest(.get, "/", token: "t0ken")))
            } catch {
                guard error.cause == .unreachable else { return .failure(error) }
            }
            try await Task.sleep(for: .milliseconds(20))
        }
        return .failure(TransportError(.notSent, .unreachable, "openssl s_server did not start"))
    }

    private func failure(_ result: Result<APIResponse, TransportError>) -> TransportError? {
        if case .failure(let error) = result { error } else { nil }
    }

    @Test func onlyATrustedCertificateIsTalkedTo() async throws {
        let server = try TLSServer(subject: "IP:127.0.0.1")
        let answer = try await ask(server, trusting: server.certificate).get()
        #expect(answer.status == 200)

        let stranger = failure(try await ask(server, trusting: nil))
        #expect(stranger?.outcome == .notSent && stranger?.cause == .badCertificate, "\(String(describing: stranger))")
        #expect(stranger?.reason.contains("certificate") == true)

        let missing = failure(try await ask(server, trusting: "/nowhere/ca.pem"))
        #expect(missing?.outcome == .notSent && missing?.cause == .badCertificate, "\(String(describing: missing))")
    }

    @Test func aCertificateForAnotherNameIsRefused() async throws {
        let server = try TLSServer(subject: "DNS:elsewhere.example")
        let error = failure(try await ask(server, trusting: server.certificate))
        #expect(error?.outcome == .notSent && error?.cause == .badCertificate, "\(String(describing: error))")
    }

    @Test func aCertificateOutOfItsTimeMayMeanThatTheClockIsWrong() async throws {
        let server = try TLSServer(subject: "IP:127.0.0.1", isOver: true)
        let error = failure(try await ask(server, trusting: server.certificate))
        #expect(error?.outcome == .notSent && error?.cause == .certificateDate, "\(String(describing: error))")
        #expect(error?.reason.contains("clock") == true, "\(String(describing: error))")
    }

    @Test func oldTLSIsRefused() async throws {
        let server = try TLSServer(subject: "IP:127.0.0.1", arguments: ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
        let error = failure(try await ask(server, trusting: server.certificate))
        #expect(error?.outcome == .notSent && error?.cause == .tls, "\(String(describing: error))")
    }
}
