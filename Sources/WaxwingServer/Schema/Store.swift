import ConclaveProtocol
import Foundation

/// Runs transactions, and tells the event bus about each once it is durable.
struct Store: Sendable {
    let database: ServerDatabase
    let bus: EventBus
    let configuration: ServerConfiguration

    /// Looks at one snapshot.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        let now = configuration.clock()
        return try await database.pool.read { db in
            try body(Transaction(db, now: now, configuration: configuration))
        }
    }

    /// All that `body` does is on disk when this returns, or none of it is. Events go out in the order of commits.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws -> Value {
        try await database.pool.write { db in
            let transaction = Transaction(db, now: configuration.clock(), configuration: configuration)
            let value = try body(transaction)
            let (events, ended) = (transaction.events, transaction.endedStreams)
            db.afterNextTransaction { _ in
                bus.publish(events)
                bus.end(ended)
            }
            return value
        }
    }
}
