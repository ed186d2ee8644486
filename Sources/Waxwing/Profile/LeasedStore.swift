import Synchronization
import WaxwingClient
import WaxwingCore

/// A store that stays in place as long as someone has it open.
///
/// A commit that fails may have reached the disk all the same, written but not confirmed. After such a failure the
/// store is opened again, for reading: it shows what the next process will find, and every further commit fails as that
/// one did. So what a command reports of its work is true. A program that runs for long goes on instead: the next commit
/// opens the store for writing again.
final class LeasedStore: Store {
    private struct State {
        /// Nil once it is closed.
        var store: (any Store)?
        var lease: ConnectionLease?
        /// Why a commit failed.
        var trouble: StoreError?
    }

    private let state: Mutex<State>
    private let lookAgain: @Sendable (any Store) throws(StoreError) -> any Store
    private let openAgain: (@Sendable (any Store) throws(StoreError) -> any Store)?

    /// - Parameters:
    ///   - openAgain: closes the store and opens it for writing; nil if every commit after a failed one is to fail.
    ///   - lookAgain: closes the store and opens it for reading.
    init(
        store: any Store, lease: ConnectionLease,
        openAgain: (@Sendable (any Store) throws(StoreError) -> any Store)? = nil,
        lookAgain: @escaping @Sendable (any Store) throws(StoreError) -> any Store = { (store) throws(StoreError) in
            store
        }
    ) {
        state = Mutex(State(store: store, lease: lease))
        self.openAgain = openAgain
        self.lookAgain = lookAgain
    }

    private var store: any Store {
        get throws(StoreError) {
            guard let store = state.withLock({ $0.store }) else { throw Self.closed }
            return store
        }
    }

    private static let closed = StoreError(.failed, "the account was closed")

    /// Gives up the store and the share of its lease; later calls fail.
    ///
    /// - Parameter close: closes the store itself.
    func close(_ close: (any Store) throws(StoreError) -> Void) throws(StoreError) {
        let store = state.withLock { state in
            defer { (state.store, state.trouble) = (nil, Self.closed) }
            return state.store
        }
        if let store { try close(store) }
        state.withLock { $0.lease = nil }
    }

    func revision() throws(StoreError) -> UInt64 { try store.revision() }

    func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? { try store.value(table, key) }

    func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool
    ) throws(StoreError) -> [Record] {
        try store.page(table, from: lower, below: upper, limit: limit, descending: descending)
    }

    func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        try store.forEach(table, from: lower, below: upper, body)
    }

    func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        try recover()
        do {
            return try store.commit(changes)
        } catch {
            if error.code != .staleRevision { look(after: error) }
            throw error
        }
    }

    /// After a failed commit, opens the store again, or says again why it failed.
    private func recover() throws(StoreError) {
        let trouble = state.withLock { state in
            guard let trouble = state.trouble else { return nil as StoreError? }
            guard let openAgain, let old = state.store, let store = try? openAgain(old) else { return trouble }
            (state.store, state.trouble) = (store, nil)
            return nil
        }
        if let trouble { throw trouble }
    }

    private func look(after error: StoreError) {
        state.withLock { state in
            state.trouble = error
            // A store that cannot be opened stays closed, and reports it when it is read.
            if let old = state.store, let store = try? lookAgain(old) { state.store = store }
        }
    }
}
