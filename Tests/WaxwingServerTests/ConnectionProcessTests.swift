import Foundation
import Testing

@testable import WaxwingServer

/// Handshakes that do not end, and the end of a process that has some.
@Suite(.serialized) struct ConnectionProcessTests {
    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/openssl")))
    func aHalfOpenHandshakeEnds() async throws {
        try await withDirectory { directory in
            let (chain, key) = try await makeCertificate(in: directory)
            // The beginning of a ClientHello.
            let hello: [UInt8] = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]
            try await TestServer.run {
                $0.tls = .init(certificateChain: chain, privateKey: key)
                $0.handshakeSeconds = 2
            } _: { server in
                try await onThread {
                    let silent = try HTTPConnection(port: server.port)
                    let half = try HTTPConnection(port: server.port)
                    try half.write(hello)
                    try silent.waitForEnd()
                    try half.waitForEnd()
                }
                let answer = try await openssl(
                    "s_client -quiet -connect 127.0.0.1:\(server.port) -alpn http/1.1",
                    input: "GET /api/v1/me HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                #expect(answer.hasPrefix("HTTP/1.1 401"))
            }
            let daemon = try Daemon([
                "--data", directory + "/data", "--listen", "127.0.0.1:0", "--tls-cert", chain, "--tls-key", key,
            ])
            let half = try HTTPConnection(port: try await daemon.port())
            try half.write(hello)
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0, "it does not wait for the rest of a handshake")
            withExtendedLifetime(half) {}
        }
    }

    @Test func aSlowBodyDoesNotHoldUpTheStop() async throws {
        try await withDirectory { directory in
            let daemon = try Daemon(["--data", directory, "--listen", "127.0.0.1:0"])
            let port = try await daemon.port()
            let slow = try HTTPConnection(port: port)
            try slow.write(Array("POST /api/v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1".utf8))
            let silent = try HTTPConnection(port: port)
            daemon.signal(SIGTERM)
            #expect(try await daemon.exit() == 0)
            withExtendedLifetime((slow, silent)) {}
        }
    }
}
