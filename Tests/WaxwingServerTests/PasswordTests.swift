import ConclaveProtocol
import Foundation
import Testing

@testable import WaxwingServer

/// What passwords cost, and who may choose one.
@Suite struct PasswordTests {
    private func hash(of user: User, _ server: TestServer) async throws -> String {
        try await server.server.store.read { try $0.passwordHash(of: user.id).text }
    }

    @Test func todaysCostIsTheDefault() {
        #expect(ServerConfiguration.PasswordCost() == .init(logN: 17, blockSize: 8, parallelism: 1))
        #expect(ServerConfiguration(dataDirectory: "x").hashesAtOnce == 2)
    }

    @Test func aCheapHashIsReplacedAtTheNextLogin() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var alice: User?
        try await TestServer.run(directory: directory) { server in
            let user = try await server.user("alice")
            #expect(try await hash(of: user, server).hasPrefix("scrypt$4$"))
            alice = user
        }
        try await TestServer.run(directory: directory, { $0.passwordCost.logN = 6 }) { server in
            let user = User(
                name: "alice", id: try alice.required.id, token: try alice.required.token, port: server.port)
            #expect(try await hash(of: user, server).hasPrefix("scrypt$4$"), "it takes a password to make a hash")
            let wrong = WireLoginRequest.with {
                $0.username = "alice"
                $0.password = "passwort"
            }
            #expect(try await user.post("login", wrong).outcome == Outcome(401, 202))
            #expect(try await hash(of: user, server).hasPrefix("scrypt$4$"))
            _ = try await user.login()
            let replaced = try await hash(of: user, server)
            #expect(replaced.hasPrefix("scrypt$6$"))
            #expect(try await user.get("me").outcome == Outcome(200), "sessions stay")
            _ = try await user.login()
            #expect(try await hash(of: user, server) == replaced)
        }
        try await TestServer.run(directory: directory) { server in
            let user = User(name: "alice", id: try alice.required.id, token: "", port: server.port)
            _ = try await user.login()
            #expect(try await hash(of: user, server).hasPrefix("scrypt$6$"), "a dearer one is kept")
        }
    }

    @Test func soManyHashesAreComputedAtOnce() async throws {
        let queue = HashingQueue(atOnce: 2)
        let (running, begin) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            let counter = Counter()
            for _ in 0..<6 {
                tasks.addTask {
                    try await queue.run {
                        counter.enter()
                        begin.yield()
                        gate.wait()
                        counter.leave()
                    }
                }
            }
            var started = running.makeAsyncIterator()
            for _ in 0..<2 { await started.next() }
            for _ in 0..<6 { gate.signal() }
            try await tasks.waitForAll()
            #expect(counter.most == 2)
        }
    }

    private func registration(_ name: String, _ token: String) -> WireRegisterRequest {
        .with {
            $0.username = name
            $0.password = "password"
            $0.registrationToken = token
        }
    }

    @Test func aTokenCountsAndExpires() async throws {
        try await TestServer.run({ $0.registration = .tokens }) { server in
            let nobody = User(name: "", id: try ID.random(), token: "", port: server.port)
            func register(_ name: String, _ token: String) async throws -> Outcome {
                try await nobody.post("register", registration(name, token)).outcome
            }
            let (twice, brief) = try await server.server.store.write { transaction in
                (
                    try transaction.makeRegistrationToken(uses: 2, expiresAt: nil, note: "").token,
                    try transaction.makeRegistrationToken(uses: 9, expiresAt: transaction.now + 60, note: "").token
                )
            }
            #expect(try await register("a", "") == Outcome(403, 302))
            #expect(try await register("a", twice + "0") == Outcome(403, 302))
            #expect(try await register("a", twice) == Outcome(201))
            #expect(try await register("a", twice) == Outcome(409, 301), "a refusal costs no use")
            #expect(try await register("b", twice) == Outcome(201))
            #expect(try await register("c", twice) == Outcome(403, 302))
            #expect(try await register("c", brief) == Outcome(201))
            server.clock.advance(60)
            #expect(try await register("d", brief) == Outcome(403, 302))
        }
    }

    @Test func theOperatorsOwnTokenStands() async throws {
        try await TestServer.run({ $0.registration = .token("friends") }) { server in
            let nobody = User(name: "", id: try ID.random(), token: "", port: server.port)
            #expect(try await nobody.post("register", registration("a", "friends")).outcome == Outcome(201))
            #expect(try await nobody.post("register", registration("b", "friend")).outcome == Outcome(403, 302))
            let once = try await server.server.store.write {
                try $0.makeRegistrationToken(uses: 1, expiresAt: nil, note: "").token
            }
            #expect(try await nobody.post("register", registration("b", once)).outcome == Outcome(201))
            #expect(try await nobody.post("register", registration("c", once)).outcome == Outcome(403, 302))
        }
    }
}

private final class Counter: @unchecked Sendable {
    private let lock = NSLock()
    private var inside = 0
    private var highest = 0

    var most: Int { lock.withLock { highest } }
    func enter() {
        lock.withLock {
            inside += 1
            highest = max(highest, inside)
        }
    }
    func leave() { lock.withLock { inside -= 1 } }
}
