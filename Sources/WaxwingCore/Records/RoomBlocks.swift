import ConclaveProtocol
import MLS

/// Some of a room's leaves: those whose index begins alike. In a large group a commit changes few of them, so few are
/// written.
private struct RoomBlock: StoredRecord {
    static let version: UInt8 = 1
    /// How many leaves of the tree are in one block.
    static let size: UInt32 = 64

    var leaves: ArraySlice<RoomRecord.Leaf>

    init(_ leaves: ArraySlice<RoomRecord.Leaf>) { self.leaves = leaves }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var read: [RoomRecord.Leaf] = []
        while !reader.isAtEnd { read.append(try RoomRecord.Leaf(from: &reader)) }
        leaves = read[...]
    }

    func encode(to writer: inout TLSWriter) {
        for leaf in leaves { leaf.encode(to: &writer) }
    }
}

extension ArraySlice<RoomRecord.Leaf> {
    /// Compares in place: `==` copies every leaf out of both slices, which is expensive with a thousand of them.
    fileprivate func isSame(as other: Self) -> Bool {
        guard count == other.count else { return false }
        return withUnsafeBufferPointer { mine in
            other.withUnsafeBufferPointer { theirs in mine.indices.allSatisfy { mine[$0] == theirs[$0] } }
        }
    }
}

extension RoomRecord {
    /// All but the leaves.
    fileprivate var head: RoomRecord {
        var head = self
        head.leaves = []
        return head
    }

    /// The blocks of the leaves, by rising number.
    fileprivate var blocks: [(number: UInt32, leaves: ArraySlice<Leaf>)] {
        var (blocks, start): ([(UInt32, ArraySlice<Leaf>)], Int) = ([], 0)
        while start < leaves.count {
            let number = leaves[start].index / RoomBlock.size
            let end = leaves[start...].firstIndex { $0.index / RoomBlock.size != number } ?? leaves.count
            blocks.append((number, leaves[start..<end]))
            start = end
        }
        return blocks
    }
}

extension Draft {
    /// Nil for groups from before there were such records, and for those without keys so far.
    func room(_ group: ID) throws(StoreError) -> RoomRecord? {
        if let room = decoded.rooms[group] { return room }
        guard var room: RoomRecord = try record(.membership, Keys.roomHead(group)) else {
            return try record(.membership, Keys.room(group))
        }
        for stored in try page(.membership, prefix: Keys.roomLeaves(group)) {
            room.leaves += try RoomBlock(stored: stored.value).leaves
        }
        return room
    }

    /// Keeps in memory what was read, so that it is not read again with each commit. A record that is still in one
    /// piece is rewritten.
    mutating func remember(_ room: RoomRecord, of group: ID) throws(StoreError) {
        if decoded.rooms[group] != nil { return }
        if try value(.membership, Keys.room(group)) != nil {
            try put(room, for: group)
        } else {
            decoded.rooms[group] = room
        }
    }

    /// Writes what has changed.
    mutating func put(_ room: RoomRecord, for group: ID) throws(StoreError) {
        var before = decoded.rooms[group]
        if before == nil {
            if try value(.membership, Keys.room(group)) != nil {
                delete(.membership, Keys.room(group))
            } else {
                before = try self.room(group)
            }
        }
        decoded.rooms[group] = room
        if before.map({ $0.head != room.head }) ?? true { put(.membership, Keys.roomHead(group), room.head) }
        var old = Dictionary(uniqueKeysWithValues: (before?.blocks ?? []).map { ($0.number, $0.leaves) })
        for block in room.blocks {
            if let known = old.removeValue(forKey: block.number), known.isSame(as: block.leaves) { continue }
            put(.membership, Keys.roomLeaves(group, block.number), RoomBlock(block.leaves))
        }
        for number in old.keys.sorted() { delete(.membership, Keys.roomLeaves(group, number)) }
    }
}
