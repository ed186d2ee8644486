public import MLS
public import WaxwingCore

/// The whole content of a store, whatever its kind.
extension Store {
    /// How many records are read at once.
    private var pageLength: Int { 500 }
    /// How many bytes of values one change set of a copy holds.
    private var copyBytes: Int { 1 << 20 }

    /// A hash of all records: equal for two stores if and only if they hold the same records. The revision is not
    /// included.
    ///
    /// - Returns: 32 bytes, SHA-256 chained over the records in order.
    /// - Throws: ``StoreError``, ``MLSError``.
    public func contentDigest(_ provider: any CryptoProvider) throws -> [UInt8] {
        let crypto = try provider.suite(.x25519_aes128gcm_sha256_ed25519)
        var digest = crypto.hash([])
        for table in Table.allCases {
            try forEachRecord(of: table) { record in
                var writer = TLSWriter()
                writer.write(table.rawValue)
                writer.writeOpaque(record.key)
                writer.writeOpaque(crypto.hash(record.value))
                digest = crypto.hash(digest + writer.bytes)
            }
        }
        return digest
    }

    /// Copies everything into an empty store, in change sets of bounded size.
    ///
    /// - Parameter progress: called with the number of records copied so far; if it throws, the copying ends.
    public func copyContent(to other: any Store, progress: (Int) throws -> Void = { _ in }) throws {
        var changes = ChangeSet(base: try other.revision())
        var bytes = 0
        var count = 0
        func flush() throws {
            if changes.isEmpty { return }
            count += changes.changes.count
            changes = ChangeSet(base: try other.commit(changes))
            bytes = 0
            try progress(count)
        }
        for table in Table.allCases {
            try forEachRecord(of: table) { record in
                changes.changes.append(.put(table, key: record.key, value: record.value))
                bytes += record.key.count + record.value.count
                if bytes >= copyBytes { try flush() }
            }
        }
        try flush()
    }

    private func forEachRecord(of table: Table, _ body: (Record) throws -> Void) throws {
        var lower: [UInt8] = []
        while true {
            let page = try page(table, from: lower, below: nil, limit: pageLength, descending: false)
            for record in page { try body(record) }
            guard page.count == pageLength, let last = page.last else { return }
            lower = last.key + [0]
        }
    }
}
