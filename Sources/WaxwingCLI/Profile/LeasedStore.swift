import WaxwingClient
import WaxwingCore

/// A store that stays where it is as long as somebody has it open.
final class LeasedStore: Store {
    private let store: any Store
    private let lease: ConnectionLease

    init(store: any Store, lease: ConnectionLease) {
        self.store = store
        self.lease = lease
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

    func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 { try store.commit(changes) }
}
