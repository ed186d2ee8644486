import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// What someone can make the server keep, and for how long.
@Suite struct LoadTests {
    private func post(_ path: String, _ headers: String, chunks: Int, of size: Int, to port: Int) async throws -> Int {
        try await onThread {
            let connection = try HTTPConnection(port: port)
            let head = "POST /api/v1/\(path) HTTP/1.1\r\nHost: x\r\n\(headers)Transfer-Encoding: chunked\r\n\r\n"
            try connection.write(Array(head.utf8))
            let chunk = Array("\(String(size, radix: 16))\r\n".utf8) + [UInt8](repeating: 0, count: size)
            for _ in 0..<chunks { try connection.write(chunk + Array("\r\n".utf8)) }
            // The body does not end.
            return try connection.readHead().status
        }
    }

    @Test func withoutASessionNoBodyIsWaitedFor() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let strange = "Authorization: Bearer \(String(repeating: "0a", count: 32))\r\n"
            for path in ["groups", "change-password", "groups/\(alice.id)/messages"] {
                #expect(try await post(path, "", chunks: 1, of: 10, to: server.port) == 401)
                #expect(try await post(path, strange, chunks: 1, of: 10, to: server.port) == 401)
            }
            // A login is small.
            #expect(try await post("login", "", chunks: 5, of: 65_536, to: server.port) == 413)
        }
    }

    @Test func aBodyHasItsTime() async throws {
        try await TestServer.run({ $0.bodySeconds = 0.3 }) { server in
            let alice = try await server.user("alice")
            let session = "Authorization: Bearer \(alice.token)\r\n"
            #expect(try await post("groups", session, chunks: 1, of: 10, to: server.port) == 408)
            #expect(try await post("login", "", chunks: 1, of: 10, to: server.port) == 408)
            #expect(try await alice.get("me").outcome == Outcome(200))
        }
    }

    @Test func whoeverIsHeldBackStaysSoInACrowd() throws {
        let limiter = RateLimiter(perMinute: 2)
        for _ in 0..<2 { try limiter.take("culprit", now: 0) }
        for number in 0..<(3 * ServerLimits.trackedBuckets) { try limiter.take("\(number)", now: 0) }
        #expect(throws: APIError.self) { try limiter.take("culprit", now: 0) }
    }

    @Test(arguments: [
        ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "20010db800010002/64"),
        ("2001:db8:1:2::9", "20010db800010002/64"), ("fe80::1%eth0", "fe80000000000000/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"), ("unknown", "unknown"),
    ])
    func addressesOfOneNetworkCountTogether(address: String, name: String) {
        #expect(RemoteNetwork.name(of: address) == name)
    }
}
