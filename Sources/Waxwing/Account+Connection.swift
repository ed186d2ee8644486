import WaxwingClient
public import WaxwingCore

extension Account {
    /// How a connection ended.
    public enum Ending: Sendable {
        /// The server was reached, and all that could be done is done.
        case reached
        /// The server could not be reached in the end, and when the next try is due.
        case cut(TransportError?, next: Deadline)
        /// There is no session: sign in again.
        case signedOut
        /// Another process is connected with this profile, and keeps it up to date.
        case elsewhere
    }

    /// Sends what waits and fetches what has come, once.
    ///
    /// Ends early when its task is cancelled. Requests still in flight are looked up in the log the next time.
    ///
    /// - Throws: ``AccountError``, `StoreError`, `CoreError` `notLoggedIn` before the first sign-in.
    @discardableResult
    public func sync() async throws -> Ending { try await run(live: false, until: .settled) }

    /// Stays connected until the task is cancelled: sends what is queued at once, receives news, and retries as long as
    /// the network is away.
    ///
    /// While another process is connected with this profile, it waits for its turn. Meanwhile the other process sends
    /// what is queued here.
    ///
    /// - Throws: ``AccountError`` `signedOut` if there is no session, or the server has ended it; `StoreError`;
    ///   `CancellationError`.
    public func stayConnected() async throws {
        while true {
            switch try await run(live: true, until: .stopped) {
            case .signedOut: throw AccountError.signedOut(isOver: try reader.isSessionOver)
            case .elsewhere: try await environment.sleep(Self.turnOfLease)
            // Only cancelling ends such a run in another way, and that was thrown.
            case .reached, .cut: break
            }
        }
    }

    /// Milliseconds between checks whether the other process is still connected.
    private static let turnOfLease: UInt64 = 1_000

    /// Runs until the goal is reached, or the task is cancelled.
    ///
    /// - Parameter atOnce: contact the server even if it asked to wait.
    package func run(live: Bool, until goal: Client.Goal, atOnce: Bool = false) async throws -> Ending {
        guard let lease = try lease() else { return .elsewhere }
        defer { withExtendedLifetime(lease) {} }
        try Task.checkCancellation()
        try await lookAtPlace()
        let state = try await client.hearing { try await $0.run(live: live, until: goal, atOnce: atOnce) }
        try Task.checkCancellation()
        return switch state {
        case .loginNeeded: .signedOut
        case .waiting(let until, let trouble): .cut(trouble, next: until)
        case .off, .connecting, .up: .reached
        }
    }

    /// Has new keys made if the profile was moved since it last talked to the server. Call it before talking to the
    /// server, with the lease.
    func lookAtPlace() async throws { if let profile { try await ProfilePlace.check(profile, client) } }

    /// The right to connect; nil while another process has it.
    ///
    /// - Throws: ``AccountError/closed`` once the account was closed.
    func lease() throws -> Lease? {
        try checkOpen()
        guard let profile else { return Lease(lock: nil) }
        return try ConnectionLease.take(path: profile.leasePath).map { Lease(lock: $0) }
    }
}

/// The right to talk to the server for an account.
struct Lease {
    /// Nil for an account without a folder, which no other process knows of.
    let lock: ConnectionLease?
}

extension AccountReader {
    /// Whether the server ended the session. If not, whoever is signed out signed out here.
    package var isSessionOver: Bool { get throws { try link()?.kind == .sessionOver } }
}

extension Client {
    /// Has a run end when its task is cancelled.
    func hearing<Value>(_ run: (Client) async throws -> Value) async throws -> Value {
        try await withTaskCancellationHandler {
            try await run(self)
        } onCancel: {
            lookUp()
        }
    }
}
