import WaxwingClient
import WaxwingCore

/// Staying connected: what `sync` and `watch` share.
enum Connection {
    /// How a connection ended.
    enum Ending {
        /// The server was reached.
        case reached
        /// It could not be reached at the end.
        case cut(TransportError?)
        case loginNeeded
        /// Another process has the connection.
        case elsewhere
    }

    /// Runs until the goal is reached. A live connection also ends, quietly, when `SIGINT` or `SIGTERM` comes.
    static func run(_ client: Client, _ profile: Profile, live: Bool, until goal: Client.Goal) async throws -> Ending {
        guard let lease = try ConnectionLease.take(path: profile.leasePath) else { return .elsewhere }
        defer { withExtendedLifetime(lease) {} }
        let interrupt = live ? Interrupt { client.stop() } : nil
        defer { withExtendedLifetime(interrupt) {} }
        let state = try await client.run(live: live, until: goal)
        Console.wipeProgress()
        switch state {
        case .loginNeeded: return .loginNeeded
        case .waiting(_, let trouble): return .cut(trouble)
        case .off, .connecting, .up: return .reached
        }
    }
}
