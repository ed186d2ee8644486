import FileStore
import SQLiteStore
import WaxwingClient
import WaxwingCore

/// The one place that chooses among kinds of stores.
extension Profile {
    /// Opens the profile for reading. Needs no network and changes nothing, so the disk may be full, or mounted
    /// read-only.
    ///
    /// - Throws: ``AccountError`` `notSignedIn`, or `StoreError`.
    package func openReader() throws -> AccountReader {
        AccountReader(store: try openStoreToRead())
    }

    /// Opens the existing store.
    ///
    /// - Throws: ``AccountError`` `notSignedIn` if there is none, `beingConverted` while it is being moved.
    package func openStore() throws -> any Store {
        guard try exists() else { throw AccountError.notSignedIn }
        let lease = try shareStore()
        guard let kind = try storeKind() else { throw AccountError.notSignedIn }
        return leased(try open(kind: kind, mustExist: true), kind, lease)
    }

    private func leased(
        _ store: any Store, _ kind: StoreKind, _ lease: ConnectionLease, recovers: Bool = false
    ) -> LeasedStore {
        let openAgain: @Sendable (any Store) throws(StoreError) -> any Store = { (store) throws(StoreError) in
            leave(store)
            return try open(kind: kind, mustExist: true)
        }
        return LeasedStore(store: store, lease: lease, openAgain: recovers ? openAgain : nil) {
            (store) throws(StoreError) in
            leave(store)
            return try openToRead(kind: kind)
        }
    }

    /// The same for reading only: nothing in the profile is changed or made.
    package func openStoreToRead() throws -> any Store {
        guard try exists() else { throw AccountError.notSignedIn }
        let lease = try shareStoreToRead()
        guard let kind = try storeKindToRead() else { throw AccountError.notSignedIn }
        return LeasedStore(store: try openToRead(kind: kind), lease: lease)
    }

    /// Opens the existing store, or makes one.
    ///
    /// - Parameters:
    ///   - wanted: the kind it must have; nil for any.
    ///   - standard: the kind of a new store if `wanted` is nil.
    ///   - recovers: whether to go on after a commit that failed, as a program does that runs for long.
    package func openOrMakeStore(
        _ wanted: StoreKind?, standard: StoreKind, recovers: Bool = false
    ) throws -> any Store {
        let lease = try shareStore()
        guard let kind = try storeKind() else {
            let kind = wanted ?? standard
            return leased(try open(kind: kind), kind, lease, recovers: recovers)
        }
        if let wanted, kind != wanted { throw AccountError.keptOtherwise(kind) }
        return leased(try open(kind: kind, mustExist: true), kind, lease, recovers: recovers)
    }

    /// Opens a store of this kind in its own place, or in another one.
    ///
    /// - Parameter mustExist: whether not to make a missing store.
    package func open(kind: StoreKind, at path: String? = nil, mustExist: Bool = false) throws(StoreError) -> any Store
    {
        switch kind {
        case .sqlite: try SQLiteStore(path: path ?? storePath(kind), mustExist: mustExist)
        case .files: try FileStore(path: path ?? storePath(kind), mustExist: mustExist)
        }
    }

    /// Opens a store of this kind for reading.
    package func openToRead(kind: StoreKind) throws(StoreError) -> any Store {
        switch kind {
        case .sqlite: try SQLiteReader(path: storePath(kind))
        case .files: try FileStore(reading: storePath(kind))
        }
    }

    /// Closes a store that is in trouble.
    private func leave(_ store: any Store) {
        switch store {
        // A store that cannot be closed properly is closed anyway.
        case let store as SQLiteStore: try? store.close()
        case let store as FileStore: store.close()
        default: break
        }
    }

    /// Closes a store so that its one file or folder holds all of it.
    package func close(_ store: any Store) throws(StoreError) {
        switch store {
        case let store as SQLiteStore: try store.consolidate()
        case let store as FileStore: store.close()
        default: break
        }
    }
}
