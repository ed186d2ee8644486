import ConclaveProtocol
import Foundation
import Logging
import SwiftProtobuf
import Synchronization

@testable import WaxwingServer

/// A server on loopback for one test, with a data directory, a clock and cheap password hashes of its own.
final class TestServer: Sendable {
    let server: ConclaveServer
    let port: Int
    let clock: TestClock

    private init(server: ConclaveServer, port: Int, clock: TestClock) {
        self.server = server
        self.port = port
        self.clock = clock
    }

    var bus: EventBus { server.store.bus }

    /// Starts a server, hands it to `body`, and stops it.
    static func run(
        directory: String? = nil, _ change: (inout ServerConfiguration) -> Void = { _ in },
        _ body: (TestServer) async throws -> Void
    ) async throws {
        let folder = try directory ?? temporaryDirectory()
        defer { if directory == nil { try? FileManager.default.removeItem(atPath: folder) } }
        let clock = TestClock()
        var configuration = ServerConfiguration(dataDirectory: folder)
        configuration.port = 0
        configuration.passwordCost = .init(logN: 4)
        configuration.clock = { clock.now }
        configuration.uptime = { clock.uptime }
        configuration.logger.logLevel = .critical
        change(&configuration)
        let server = try ConclaveServer(configuration)
        let (ports, found) = AsyncStream<Int>.makeStream()
        let running = Task { try await server.run(handlingSignals: false) { port in found.yield(port) } }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { throw HTTPConnection.Failure(what: "the server did not start") }
        do {
            try await body(TestServer(server: server, port: port, clock: clock))
        } catch {
            running.cancel()
            _ = await running.result
            throw error
        }
        running.cancel()
        _ = await running.result
    }

    /// Registers a user, with the password "password", and logs in.
    func user(_ name: String) async throws -> User {
        try await User.register(name, port: port)
    }

    /// A group whose admin is the first user, and whose other members joined by accepted invites: its epoch is one less
    /// than their number.
    func group(_ name: String, _ users: [User]) async throws -> ID {
        let admin = users[0]
        let created = try await admin.post("groups", WireCreateGroupRequest.with { $0.groupName = name })
        let group = try ID(created.message(WireCreateGroupResponse.self).groupID).required
        for (epoch, user) in users.dropFirst().enumerated() {
            try await admin.invite(user, to: group, commit: mlsMessage(epoch: UInt64(epoch)))
            try await user.accept(group)
        }
        return group
    }

    /// What each of the users is told while `act` runs. Events are published before an answer goes out, so there is
    /// nothing to wait for.
    func events(for users: [User], _ act: () async throws -> Void) async throws -> [[ServerEvent]] {
        let subscriptions = users.map { bus.subscribe(user: $0.id, tokenHash: Data(), lastEventID: nil) }
        try await act()
        return try subscriptions.map { subscription in
            try subscription.reader.drain().split(separator: "\n").filter { $0.hasPrefix("data: ") }.map {
                try ServerEvent(hex: $0.dropFirst(6))
            }
        }
    }
}

typealias ServerEvent = WireServerEvent.OneOf_Event

extension WireServerEvent.OneOf_Event {
    init(hex: Substring) throws {
        let bytes = try hexDecode(hex.utf8).required
        self = try WireServerEvent(serializedBytes: bytes).event.required
    }
}

/// Seconds that pass when the test says so.
final class TestClock: Sendable {
    private let state = Mutex<(now: Int64, uptime: Int64)>((1_800_000_000, 1_000))

    var now: Int64 { state.withLock { $0.now } }
    var uptime: Int64 { state.withLock { $0.uptime } }

    func advance(_ by: Int64) {
        state.withLock {
            $0.now += by
            $0.uptime += by
        }
    }

    /// Someone sets the clock; no time passes.
    func set(by seconds: Int64) { state.withLock { $0.now += seconds } }
}

extension Optional {
    struct Missing: Error {}

    var required: Wrapped {
        get throws {
            guard let self else { throw Missing() }
            return self
        }
    }
}

func temporaryDirectory() throws -> String {
    let path = NSTemporaryDirectory() + "waxwingd-test-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    return path
}
