import Logging
import ServiceLifecycle

/// Deletes what has expired, at the start and every half minute: sessions, invites, stored answers and messages.
struct Housekeeping: Service {
    let store: ServerStore

    func run() async throws {
        await store.repeats("housekeeping", every: ServerLimits.housekeepingSeconds, sweep)
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

extension ServerStore {
    /// Does a piece of work at once and then every so many seconds, until the server stops. What fails is logged, and
    /// tried again at the next turn.
    func repeats(_ name: String, every seconds: Double, _ work: @escaping @Sendable () async throws -> Void) async {
        await cancelWhenGracefulShutdown { [logger = configuration.logger] in
            repeat {
                do {
                    try await work()
                } catch is CancellationError {
                    return
                } catch {
                    logger.error("\(name) failed", metadata: ["error": "\(error)"])
                }
            } while await pause(seconds: seconds)
        }
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
