/// A piece of the tree that is stored as one record: a subtree of four levels, so that a commit, which changes the
/// nodes above one leaf, changes few records.
///
/// The blocks of tier 0 hold the leaves and three levels above them: the nodes from `16 n` to `16 n + 14`. The nodes
/// between them, `16 n + 15`, are numbered by `n` and lie in the same way in the blocks of tier 1, and so on.
struct TreeBlock: Hashable, Comparable, Sendable {
    let tier: UInt8
    let number: UInt32

    /// Counted by the places of one more node that belongs to the tier above.
    private static let width: UInt64 = 16

    init(tier: UInt8, number: UInt32) {
        self.tier = tier
        self.number = number
    }

    /// The block that a node lies in.
    init(of index: NodeIndex) {
        let width = UInt32(Self.width)
        var (tier, value) = (UInt8(0), index.value)
        while value % width == width - 1 { (tier, value) = (tier + 1, value / width) }
        self.init(tier: tier, number: value / width)
    }

    /// Its nodes from the left, as far as a tree of that size has them.
    func nodes(in size: TreeSize) -> [NodeIndex] {
        // No tree has as many tiers as would overflow here.
        if tier > 4 { return [] }
        var nodes: [NodeIndex] = []
        for place in 0..<Self.width - 1 {
            var value = UInt64(number) * Self.width + place
            for _ in 0..<tier { value = value * Self.width + Self.width - 1 }
            if value >= UInt64(size.nodeCount) { break }
            nodes.append(NodeIndex(UInt32(value)))
        }
        return nodes
    }

    /// All blocks of a tree of that size.
    static func all(in size: TreeSize) -> Set<TreeBlock> {
        var blocks: Set<TreeBlock> = []
        var (tier, count) = (UInt8(0), size.nodeCount)
        while count > 0 {
            for number in 0...(count - 1) / UInt32(width) { blocks.insert(TreeBlock(tier: tier, number: number)) }
            (tier, count) = (tier + 1, count / UInt32(width))
        }
        return blocks
    }

    static func < (a: TreeBlock, b: TreeBlock) -> Bool { (a.tier, a.number) < (b.tier, b.number) }
}

extension RatchetTree {
    /// The form a block is stored in: `optional<Node>` for each of its places, without the blanks at the right end. Nil
    /// for one that is all blank.
    func encoded(_ block: TreeBlock) -> [UInt8]? {
        var places = block.nodes(in: size).map { self[$0] }[...]
        while let last = places.last, last == nil { places.removeLast() }
        if places.isEmpty { return nil }
        var writer = TLSWriter(reservingCapacity: 4096)
        for node in places { writer.writeOptional(node) }
        return writer.bytes
    }

    /// A tree from its stored blocks.
    ///
    /// - Throws: `malformed` also for a block without nodes, `tooLarge`, `invalidTree`.
    init(blocks: [TreeBlock: [UInt8]]) throws(MLSError) {
        var nodes: [Node?] = []
        let largest = TreeSize(leaves: Limits.leaves)
        for (block, bytes) in blocks {
            var reader = TLSReader(bytes)
            var last: Node?
            for index in block.nodes(in: largest) where !reader.isAtEnd {
                last = try reader.readOptional(Node.self)
                let missing = Int(index.value) + 1 - nodes.count
                if missing > 0, last != nil { nodes.append(contentsOf: repeatElement(nil, count: missing)) }
                if let last { nodes[Int(index.value)] = last }
            }
            try reader.expectEnd()
            if last == nil { throw MLSError(.malformed, "a part of a tree that ends with a blank") }
        }
        try self.init(nodes: nodes)
        markStored()
    }
}

extension TreeBlock: TLSEncodable, TLSDecodable {
    init(from reader: inout TLSReader) throws(MLSError) {
        self.init(tier: try reader.read(), number: try reader.read())
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(tier)
        writer.write(number)
    }
}
