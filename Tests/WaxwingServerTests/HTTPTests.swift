import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

@Suite struct HTTPTests {
    @Test func whatIsNoEndpointHasAnEmptyAnswer() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let cases: [(String, String, Int)] = [
                ("GET", "nowhere", 404), ("GET", "", 404), ("POST", "groups/x/y/z/a/b/c/d/e/f", 404),
                ("GET", "groups/\(alice.id)/nothing", 404), ("GET", "groups/", 404), ("GET", "users/", 404),
                ("PUT", "groups", 405), ("DELETE", "me", 405), ("GET", "register", 405), ("HEAD", "me", 405),
                ("POST", "events", 405), ("POST", "events/poll", 405), ("GET", "events/x", 404),
                ("PATCH", "groups/\(alice.id)/messages", 405), ("GET", "groups/public/x", 404),
            ]
            for (method, path, status) in cases {
                let reply = try await alice.send(method, path, headers: [:], body: [])
                #expect(reply.status == status && reply.body.isEmpty, "\(method) \(path): \(reply.status)")
            }
        }
    }

    @Test func aMalformedUUIDIsToldInPlainText() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let id = "\(alice.id)"
            let malformed = [
                "x", "1234", String(id.dropLast()), id + "0", "%00",
                id.replacingOccurrences(of: "-", with: "").dropLast() + "g",
            ]
            for text in malformed {
                for path in ["groups/\(text)/messages", "users/by-id/\(text)", "key-packages/\(text)"] {
                    let reply = try await alice.get(path)
                    #expect(reply.outcome == Outcome(400, -1), "\(path)")
                    #expect(reply.headers["content-type"]?.hasPrefix("text/plain") == true)
                }
            }
            #expect(try await alice.get("users/by-id/\(id.uppercased())").outcome == Outcome(200))
        }
    }

    @Test func anOversizeBodyIsRefusedInPlainText() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            // The two fields around the message take 4 bytes of the limit.
            let largest = WireSendMessageRequest.with { $0.mlsMessage = Data(count: ServerLimits.body - 4) }
            #expect(try largest.serializedData().count == ServerLimits.body)
            #expect(try await alice.post("groups/\(group)/messages", largest).outcome == Outcome(200))
            let larger = WireSendMessageRequest.with { $0.mlsMessage = Data(count: ServerLimits.body - 3) }
            let reply = try await alice.post("groups/\(group)/messages", larger)
            #expect(reply.outcome == Outcome(413, -1))
            #expect(reply.headers["content-type"]?.hasPrefix("text/plain") == true)
            #expect(try await alice.log(group).count == 1)
        }
    }

    @Test func anOversizeChunkedBodyIsRefusedToo() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let status = try await onThread {
                let connection = try HTTPConnection(port: alice.port)
                let head =
                    "POST /api/v1/groups HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(alice.token)\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n"
                try connection.write(Array(head.utf8))
                let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 0, count: 65_536) + Array("\r\n".utf8)
                for _ in 0..<17 { try connection.write(chunk) }
                try connection.write(Array("0\r\n\r\n".utf8))
                return try connection.readHead().status
            }
            #expect(status == 413)
        }
    }

    @Test func hostileBodiesAreRefusedAndServiceGoesOn() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            var state: UInt64 = 42
            func random() -> UInt64 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return state >> 33
            }
            let endpoints = [
                "groups", "groups/\(group)/commit", "groups/\(group)/messages", "groups/\(group)/invite",
                "groups/\(group)/escrow-invite", "groups/\(group)/remove", "groups/\(group)/promote",
                "groups/\(group)/ban", "groups/\(group)/external-join", "key-packages", "register", "login",
            ]
            for round in 0..<120 {
                let body = (0..<Int(random() % 64)).map { _ in UInt8(truncatingIfNeeded: random()) }
                let reply = try await alice.send("POST", endpoints[round % endpoints.count], headers: [:], body: body)
                #expect(reply.status < 500, "\(body)")
            }
            #expect(try await alice.get("me").outcome == Outcome(200))
        }
    }

    @Test func oneConnectionCarriesManyRequests() async throws {
        try await TestServer.run { server in
            let alice = try await server.user("alice")
            let statuses = try await onThread {
                let connection = try HTTPConnection(port: alice.port)
                return try (0..<20).map { _ in
                    try connection.send(
                        "GET", "/api/v1/me", headers: ["Authorization": "Bearer \(alice.token)"], body: [])
                    let head = try connection.readHead()
                    _ = try connection.readBody(head.headers)
                    return head.status
                }
            }
            #expect(statuses == Array(repeating: 200, count: 20))
        }
    }
}
