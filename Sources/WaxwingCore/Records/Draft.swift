import ConclaveProtocol
import MLS

/// A change set in the making, on top of the store it will be committed to: reads see what was written into the draft.
struct Draft {
    let store: any Store
    private(set) var changes: ChangeSet
    private var overlay: [Table: [[UInt8]: [UInt8]?]] = [:]
    private var deletedPrefixes: [Table: [[UInt8]]] = [:]
    /// Rows that came or changed, in order, for those who watch.
    var notices: [Notice] = []
    /// Records that are already decoded, as the store and this draft have them.
    var decoded: DecodedRecords

    init(store: any Store, base: UInt64, decoded: DecodedRecords = DecodedRecords()) {
        self.store = store
        self.decoded = decoded
        changes = ChangeSet(base: base)
    }

    func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        if let written = overlay[table]?[key] { return written }
        if isDeleted(table, key) { return nil }
        return try store.value(table, key)
    }

    mutating func put(_ table: Table, _ key: [UInt8], _ value: [UInt8]) {
        changes.changes.append(.put(table, key: key, value: value))
        overlay[table, default: [:]][key] = .some(value)
    }

    mutating func delete(_ table: Table, _ key: [UInt8]) {
        changes.changes.append(.delete(table, key: key))
        overlay[table, default: [:]][key] = .some(nil)
    }

    /// Records whose key begins with `prefix`, in key order, including those written in this draft.
    func page(_ table: Table, prefix: [UInt8], limit: Int = .max) throws(StoreError) -> [Record] {
        try page(table, from: prefix, below: Record.key(afterPrefix: prefix), limit: limit)
    }

    /// The same, from the key `lower` on, which begins with `prefix`.
    func page(_ table: Table, prefix: [UInt8], from lower: [UInt8], limit: Int) throws(StoreError) -> [Record] {
        try page(table, from: lower, below: Record.key(afterPrefix: prefix), limit: limit)
    }

    /// Records from the key `lower` on and, if given, below `upper`, in key order, including those written in this
    /// draft.
    func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int = .max
    ) throws(StoreError) -> [Record] {
        let written = (overlay[table] ?? [:]).filter { key, _ in
            !key.lexicographicallyPrecedes(lower) && upper.map(key.lexicographicallyPrecedes) ?? true
        }
        // Each overlay entry can hide at most one stored record.
        let wanted = limit > Int.max - written.count ? Int.max : limit + written.count
        var records = try store.page(
            table, from: lower, below: upper, limit: wanted, descending: false)
        if deletedPrefixes[table] != nil { records.removeAll { isDeleted(table, $0.key) } }
        if !written.isEmpty {
            records.removeAll { written[$0.key] != nil }
            for case (let key, let value?) in written { records.append(Record(key: key, value: value)) }
            records.sort { $0.key.lexicographicallyPrecedes($1.key) }
        }
        return Array(records.prefix(limit))
    }

    /// The last record whose key begins with `prefix`, including those written in this draft.
    func last(_ table: Table, prefix: [UInt8]) throws(StoreError) -> Record? {
        let written = (overlay[table] ?? [:]).filter { $0.key.starts(with: prefix) }
        var records = try store.page(
            table, from: prefix, below: Record.key(afterPrefix: prefix), limit: 1 + written.count, descending: true)
        records.removeAll { written[$0.key] != nil || isDeleted(table, $0.key) }
        for case (let key, let value?) in written { records.append(Record(key: key, value: value)) }
        return records.max { $0.key.lexicographicallyPrecedes($1.key) }
    }

    mutating func deleteAll(_ table: Table, prefix: [UInt8]) {
        changes.changes.append(.deletePrefix(table, prefix: prefix))
        overlay[table] = overlay[table]?.filter { !$0.key.starts(with: prefix) }
        deletedPrefixes[table, default: []].append(prefix)
    }

    private func isDeleted(_ table: Table, _ key: [UInt8]) -> Bool {
        deletedPrefixes[table]?.contains { key.starts(with: $0) } ?? false
    }
}
