import Logging
import ServiceLifecycle

/// Deletes what has expired, at the start and every half minute: sessions, invites, stored answers and messages.
struct Housekeeping: Service {
    let store: ServerStore

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                do {
                    try await sweep()
                } catch is CancellationError {
                    return
                } catch {
                    store.configuration.logger.error("housekeeping failed", metadata: ["error": "\(error)"])
                }
            } while await pause(seconds: ServerLimits.housekeepingSeconds)
        }
    }

    func sweep() async throws {
        try await store.write { transaction in
            try transaction.expireSessions()
            try transaction.expireInvites()
            try transaction.expireMessages()
            try transaction.expireAnswers()
            try transaction.forgetFullAllowances()
            try transaction.forgetDeletedGroups()
            try transaction.noteClock()
        }
    }
}

/// Keeps event streams alive with comment lines, and ends them all when the server stops.
struct StreamKeeper: Service {
    let bus: EventBus
    /// Seconds between two comment lines.
    let heartbeat: Double

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while await pause(seconds: heartbeat) { bus.heartbeat() }
        }
        bus.close()
    }
}

/// False once the task was cancelled.
func pause(seconds: Double) async -> Bool {
    do {
        try await Task.sleep(for: .seconds(seconds))
        return true
    } catch {
        return false
    }
}
