import Synchronization
import WaxwingCore

/// A store in memory, with all promises of the real ones except durability: the base of the core's tests.
final class MemoryStore: Store {
    private struct State {
        var revision: UInt64 = 0
        var tables: [Table: [[UInt8]: [UInt8]]] = [:]
    }

    private let state = Mutex(State())

    func revision() -> UInt64 { state.withLock { $0.revision } }

    func value(_ table: Table, _ key: [UInt8]) -> [UInt8]? { state.withLock { $0.tables[table]?[key] } }

    func page(_ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool) -> [Record] {
        let all = state.withLock { $0.tables[table] ?? [:] }
        let inRange = all.filter { entry in
            !entry.key.lexicographicallyPrecedes(lower)
                && (upper.map { entry.key.lexicographicallyPrecedes($0) } ?? true)
        }
        let sorted = inRange.map { Record(key: $0.key, value: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        return Array((descending ? sorted.reversed() : sorted).prefix(limit))
    }

    func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        let committed: UInt64? = state.withLock { state in
            guard changes.base == state.revision else { return nil }
            for change in changes.changes {
                switch change {
                case .put(let table, let key, let value): state.tables[table, default: [:]][key] = value
                case .delete(let table, let key): state.tables[table]?[key] = nil
                case .deletePrefix(let table, let prefix):
                    state.tables[table] = state.tables[table]?.filter { !$0.key.starts(with: prefix) }
                }
            }
            state.revision += 1
            return state.revision
        }
        guard let committed else { throw StoreError(.staleRevision, "stale") }
        return committed
    }

    // MARK: Backups

    var content: [Table: [[UInt8]: [UInt8]]] { state.withLock { $0.tables } }

    /// Restores the store to what it was.
    func restore(_ content: [Table: [[UInt8]: [UInt8]]]) {
        state.withLock { state in
            state.tables = content
            state.revision += 1
        }
    }
}
