import ConclaveProtocol
import Foundation

/// Runs transactions, and tells the event bus about each once it is durable.
struct ServerStore: Sendable {
    let database: ServerDatabase
    let bus: EventBus
    let configuration: ServerConfiguration
    let expiry: Expiry

    /// Reads one snapshot.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let (now, moments) = readClock()
        return try await database.pool.read { db in
            try body(Transaction(db, now: now, moments: moments, configuration: configuration))
        }
    }

    /// All that `body` does is on disk when this returns, or none of it is. Events go out in the order of commits.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.pool.write { db in
            let (now, moments) = readClock()
            let transaction = Transaction(db, now: now, moments: moments, configuration: configuration)
            let value = try body(transaction)
            let (events, ended) = (transaction.events, transaction.endedStreams)
            db.afterNextTransaction { _ in
                bus.publish(events)
                bus.end(ended)
            }
            return value
        }
    }

    private func readClock() -> (now: Int64, moments: Expiry.Moments) {
        let now = configuration.clock()
        let moments = expiry.moments(Expiry.Reading(wall: now, uptime: configuration.uptime()))
        if let found = moments.found {
            configuration.logger.error(
                "the clock was set, or the server was away for long: for a day nothing ends because of it; is the clock right?",
                metadata: ["seconds": "\(found)"])
        }
        return (now, moments)
    }
}
