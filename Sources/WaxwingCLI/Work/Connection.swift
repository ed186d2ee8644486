import Machine
import Waxwing
import WaxwingClient

/// Staying connected: what `sync` and `watch` share.
enum Connection {
    /// Runs until the goal is reached. A live connection also ends, quietly, when `SIGINT` or `SIGTERM` comes.
    ///
    /// - Parameter atOnce: contact the server even if it asked to wait.
    static func run(
        _ account: Account, live: Bool, until goal: Client.Goal, atOnce: Bool = false
    ) async throws -> Account.Ending {
        let interrupt = live ? Interrupt { account.client.stop() } : nil
        defer { withExtendedLifetime(interrupt) {} }
        let ending = try await account.run(live: live, until: goal, atOnce: atOnce)
        Console.wipeProgress()
        return ending
    }
}
