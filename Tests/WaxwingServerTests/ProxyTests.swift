import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// Who a request comes from, and who is held back for it.
@Suite struct ProxyTests {
    private let proxies = TrustedProxies(
        ["127.0.0.1", "10.0.0.0/8", "fd00::/8"].compactMap(TrustedProxies.Network.init))

    @Test(arguments: [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"), ("127.0.0.1", [], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7"], "198.51.100.7"), ("127.0.0.1", ["1.1.1.1, 198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["1.1.1.1", "198.51.100.7, 10.1.2.3"], "198.51.100.7"),
        ("127.0.0.1", ["10.1.2.3"], "10.1.2.3"), ("127.0.0.1", ["nonsense"], "127.0.0.1"),
        ("127.0.0.1", ["1.1.1.1, nonsense, 10.1.2.3"], "10.1.2.3"), ("127.0.0.1", [""], "127.0.0.1"),
        ("127.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"), ("127.0.0.1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"), ("::ffff:127.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("127.0.0.1", ["10.0.0.0/8"], "127.0.0.1"),
    ])
    func onlyAProxysWordIsTaken(peer: String, forwarded: [String], client: String) {
        #expect(proxies.client(peer: peer, forwarded: forwarded) == client)
    }

    @Test(arguments: ["", "x", "1.2.3", "1.2.3.4/33", "1.2.3.4/", "::/129", "1.2.3.4/-1", "/8"])
    func whatIsNoNetworkIsRefused(text: String) {
        #expect(TrustedProxies.Network(text) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/9", "10.127.0.1", true), ("10.0.0.0/9", "10.128.0.1", false), ("0.0.0.0/0", "192.0.2.1", true),
        ("0.0.0.0/0", "::1", false), ("fe80::/10", "febf::1%eth0", true), ("fe80::/10", "fec0::1", false),
    ])
    func aNetworkHasItsBits(network: String, address: String, isIn: Bool) throws {
        #expect(try TrustedProxies.Network(network).required.contains(address) == isIn)
    }

    private func login(_ password: String, from address: String, _ user: User) async throws -> Outcome {
        let request = WireLoginRequest.with {
            $0.username = user.name
            $0.password = password
        }
        return try await user.send(
            "POST", "login", headers: ["X-Forwarded-For": address, "Authorization": "none"],
            body: request.serializedBytes()
        ).outcome
    }

    @Test func behindAProxyOnesGuessesDoNotLockOutAnother() async throws {
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
            $0.trustedProxies = proxies
        } _: { server in
            let alice = try await server.user("alice")
            for _ in 0..<3 { #expect(try await login("wrong", from: "192.0.2.66", alice) == Outcome(401, 202)) }
            #expect(try await login("password", from: "192.0.2.66", alice) == Outcome(429, 0))
            #expect(try await login("password", from: "198.51.100.7", alice) == Outcome(200))
        }
        try await TestServer.run {
            $0.failedLoginsPerMinute = 3
        } _: { server in
            let alice = try await server.user("alice")
            for number in 0..<3 {
                #expect(try await login("wrong", from: "192.0.2.\(number)", alice) == Outcome(401, 202))
            }
            #expect(try await login("password", from: "192.0.2.9", alice) == Outcome(429, 0), "anyone can say so")
        }
    }

    @Test func manyAddressesTogetherGuessSlowly() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        func change(_ configuration: inout ServerConfiguration) {
            configuration.trustedProxies = proxies
            configuration.failedLoginsPerHour = 5
        }
        try await TestServer.run(directory: directory, change) { server in
            let alice = try await server.user("alice")
            #expect(try await login("password", from: "198.51.100.7", alice) == Outcome(200))
            for number in 0..<5 {
                #expect(try await login("wrong", from: "192.0.2.\(number)", alice) == Outcome(401, 202))
            }
            #expect(try await login("wrong", from: "192.0.2.200", alice) == Outcome(429, 0))
            #expect(try await login("password", from: "192.0.2.201", alice) == Outcome(429, 0))
            #expect(try await login("password", from: "198.51.100.7", alice) == Outcome(200), "it was right there")
        }
        try await TestServer.run(directory: directory, change) { server in
            let alice = User(name: "alice", id: try ID.random(), token: "", port: server.port)
            #expect(
                try await login("wrong", from: "192.0.2.201", alice) == Outcome(429, 0), "a restart forgets nothing")
            #expect(try await login("password", from: "198.51.100.7", alice) == Outcome(200))
            server.clock.advance(720)
            #expect(try await login("password", from: "192.0.2.202", alice) == Outcome(200))
            #expect(try await login("wrong", from: "192.0.2.203", alice) == Outcome(401, 202), "the right one was free")
            #expect(try await login("wrong", from: "192.0.2.204", alice) == Outcome(429, 0))
            let nobody = User(name: "nobody", id: try ID.random(), token: "", port: server.port)
            for number in 0..<5 {
                #expect(try await login("wrong", from: "192.0.2.\(number)", nobody) == Outcome(401, 202))
            }
            #expect(try await login("wrong", from: "192.0.2.200", nobody) == Outcome(429, 0))
        }
    }
}
