/// Which keys occur in a tree, and how often: every new leaf must have unique keys (RFC 9420 §7.3).
///
/// Split into shards for the same reason as ``PagedArray``.
struct KeyIndex: Sendable {
    private var shards: [[[UInt8]: Int]] = Array(repeating: [:], count: 256)
    /// How many keys occur more than once; zero in a valid tree.
    private(set) var repeated = 0

    func contains(_ key: [UInt8]) -> Bool { shards[shard(key)][key] != nil }

    mutating func insert(_ key: [UInt8]) {
        let count = (shards[shard(key)][key] ?? 0) + 1
        shards[shard(key)][key] = count
        if count == 2 { repeated += 1 }
    }

    mutating func remove(_ key: [UInt8]) {
        guard let count = shards[shard(key)][key] else { return }
        shards[shard(key)][key] = count == 1 ? nil : count - 1
        if count == 2 { repeated -= 1 }
    }

    /// The last byte, as the first one of a NIST point is always the same.
    private func shard(_ key: [UInt8]) -> Int { Int(key.last ?? 0) }
}
