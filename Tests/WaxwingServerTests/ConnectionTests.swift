import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// Whoever opens connections and says nothing, or too slowly.
@Suite struct ConnectionTests {
    private func silent(_ count: Int, to port: Int) async throws -> [HTTPConnection] {
        try await onThread { try (0..<count).map { _ in try HTTPConnection(port: port) } }
    }

    /// A connection that has sent one request, and stays.
    private func open(_ user: User) async throws -> HTTPConnection {
        try await onThread {
            let connection = try HTTPConnection(port: user.port)
            try connection.send("GET", "/api/v1/me", headers: ["Authorization": "Bearer \(user.token)"], body: [])
            let head = try connection.readHead()
            guard head.status == 200 else { throw HTTPConnection.Failure(what: "status \(head.status)") }
            _ = try connection.readBody(head.headers)
            return connection
        }
    }

    private func again(_ connection: HTTPConnection, _ user: User) async throws -> Int {
        try await onThread {
            try connection.send("GET", "/api/v1/me", headers: ["Authorization": "Bearer \(user.token)"], body: [])
            return try connection.readHead().status
        }
    }

    @Test func silentConnectionsMakeRoom() async throws {
        try await TestServer.run({ $0.connectionsMax = 8 }) { server in
            let alice = try await server.user("alice")
            let known = try await open(alice)
            let crowd = try await silent(40, to: server.port)
            #expect(try await alice.get("me").outcome == Outcome(200))
            #expect(try await again(known, alice) == 200, "whoever is logged in keeps the connection")
            withExtendedLifetime(crowd) {}
        }
    }

    @Test func oneAddressHasSoManyStrangers() async throws {
        try await TestServer.run({ $0.connectionsPerAddress = 16 }) { server in
            let alice = try await server.user("alice")
            let known = try await open(alice)
            let crowd = try await silent(40, to: server.port)
            // The last of them is served, the first is closed.
            try await onThread {
                try crowd[0].waitForEnd()
                try crowd[39].send("GET", "/api/v1/me", headers: [:], body: [])
                #expect(try crowd[39].readHead().status == 401)
            }
            #expect(try await again(known, alice) == 200)
        }
    }

    @Test func whoeverIsLoggedInKeepsTheirPlace() async throws {
        try await TestServer.run({ $0.connectionsMax = 2 }) { server in
            let alice = try await server.user("alice")
            var idle = [try await open(alice), try await open(alice)]
            // Its turn comes when one of the others is gone.
            let waiting = try await onThread {
                let waiting = try HTTPConnection(port: alice.port)
                try waiting.send("GET", "/api/v1/me", headers: [:], body: [])
                return waiting
            }
            #expect(try await again(idle[0], alice) == 200)
            #expect(try await again(idle[1], alice) == 200)
            #expect(!waiting.isReadable(within: 0))
            idle.removeFirst()
            #expect(try await onThread { try waiting.readHead().status } == 401)
        }
    }

    @Test func oneUserHasSoManyConnections() async throws {
        try await TestServer.run({ $0.connectionsPerUser = 3 }) { server in
            let alice = try await server.user("alice")
            var connections: [HTTPConnection] = []
            for _ in 0..<4 { connections.append(try await open(alice)) }
            let all = connections
            try await onThread { try all[0].waitForEnd() }
            for connection in all.dropFirst() { #expect(try await again(connection, alice) == 200) }
        }
    }

    @Test func aHeadHasItsTime() async throws {
        try await TestServer.run({ $0.headerSeconds = 2 }) { server in
            let alice = try await server.user("alice")
            try await onThread {
                let silent = try HTTPConnection(port: alice.port)
                let slow = try HTTPConnection(port: alice.port)
                try slow.write(Array("GET /api/v1/me HTTP/1.1\r\nHost: x\r\n".utf8))
                try silent.waitForEnd()
                try slow.waitForEnd()
            }
            // After an answer, someone who is logged in may be silent, but not in the middle of a head.
            let known = try await open(alice)
            try await onThread {
                try known.write(Array("GET /api/v1/me HT".utf8))
                try known.waitForEnd()
            }
            // The rest of a body that was answered already.
            try await onThread {
                let answered = try HTTPConnection(port: alice.port)
                try answered.write(Array("POST /api/v1/groups HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".utf8))
                #expect(try answered.readHead().status == 401)
                try answered.waitForEnd()
            }
        }
    }

    @Test func aReaderWhoTakesNothingIsLetGo() async throws {
        try await TestServer.run({ $0.stallSeconds = 1 }) { server in
            let alice = try await server.user("alice")
            let group = try await server.group("g", [alice])
            let big = WireSendMessageRequest.with { $0.mlsMessage = Data(count: ServerLimits.body - 4) }
            for _ in 0..<2 { try await alice.post("groups/\(group)/messages", big).expect(Outcome(200)) }
            let reader = try await onThread {
                let reader = try HTTPConnection(port: alice.port)
                // More answers than the system takes off the server's hands.
                for _ in 0..<16 {
                    try reader.send(
                        "GET", "/api/v1/groups/\(group)/messages?limit=2",
                        headers: ["Authorization": "Bearer \(alice.token)"], body: [])
                }
                return reader
            }
            while server.server.roster.count > 0 { try await Task.sleep(for: .milliseconds(10)) }
            withExtendedLifetime(reader) {}
        }
    }
}
