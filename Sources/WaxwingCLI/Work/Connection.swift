import WaxwingClient
import WaxwingCore

/// Staying connected: what `sync` and `watch` share.
enum Connection {
    /// How a connection ended.
    enum Ending {
        /// The server was reached.
        case reached
        /// It could not be reached at the end, and when the next try is due.
        case cut(TransportError?, next: Deadline)
        case loginNeeded
        /// Another process has the connection.
        case elsewhere
    }

    /// Runs until the goal is reached. A live connection also ends, quietly, when `SIGINT` or `SIGTERM` comes.
    ///
    /// - Parameter atOnce: ask the server even where it asked to be left alone for a while.
    static func run(
        _ client: Client, _ profile: Profile, live: Bool, until goal: Client.Goal, atOnce: Bool = false
    ) async throws -> Ending {
        guard let lease = try ConnectionLease.take(path: profile.leasePath) else { return .elsewhere }
        defer { withExtendedLifetime(lease) {} }
        try await ProfilePlace.check(profile, client)
        let interrupt = live ? Interrupt { client.stop() } : nil
        defer { withExtendedLifetime(interrupt) {} }
        let state = try await client.run(live: live, until: goal, atOnce: atOnce)
        Console.wipeProgress()
        switch state {
        case .loginNeeded: return .loginNeeded
        case .waiting(let until, let trouble): return .cut(trouble, next: until)
        case .off, .connecting, .up: return .reached
        }
    }
}
