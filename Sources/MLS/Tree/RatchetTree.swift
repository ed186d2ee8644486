/// The ratchet tree: a member at each leaf, and above them the keys of their subtrees (RFC 9420 §4 and §7).
///
/// The tree is always full: its width is a power of two, missing leaves are blank. Copies share what neither has
/// changed.
package struct RatchetTree: Sendable {
    /// What is at a position of the tree.
    struct Slot: Sendable {
        var node: Node?
        /// The tree hash of the subtree. When it is not known, neither is any above it.
        var hash: [UInt8]?
    }

    package private(set) var size = TreeSize(leaves: 0)
    var slots = PagedArray<Slot>()
    private(set) var encryptionKeys = KeyIndex()
    private(set) var signatureKeys = KeyIndex()
    private(set) var tally = SupportTally()
    /// Of all nodes that are not blank, in bytes.
    private(set) var nodesLength = 0
    /// How many nodes are not blank.
    private(set) var filledNodes: UInt32 = 0
    /// A superset of what differs from the tree that was stored last; nil if nothing of this one may have been stored.
    private(set) var changedBlocks: Set<TreeBlock>?
    /// No leaf before this one is blank.
    private var firstBlankBound: UInt32 = 0
    /// All leaves from this one on are blank.
    private var memberBound: UInt32 = 0

    /// A tree without leaves.
    package init() {}

    /// The width of the tree, blank leaves included.
    package var leafCount: UInt32 { size.leafCount }
    package var memberCount: Int { tally.members }

    /// The node at a position; nil if it is blank or outside the tree.
    package subscript(node: NodeIndex) -> Node? {
        size.contains(node) ? slots[Int(node.value)].node : nil
    }

    /// The leaf at a position; nil if it is blank or outside the tree.
    package subscript(leaf: LeafIndex) -> LeafNode? {
        if case .leaf(let leafNode) = self[leaf.node] { leafNode } else { nil }
    }

    func parentNode(_ index: NodeIndex) -> ParentNode? {
        if case .parent(let parent) = self[index] { parent } else { nil }
    }

    /// The leaves that are not blank, from the left.
    package var members: some Sequence<(LeafIndex, LeafNode)> {
        (0..<leafCount).lazy.compactMap { value in
            let index = LeafIndex(value)
            return self[index].map { (index, $0) }
        }
    }

    /// - Throws: `tooLarge` for a tree that does not fit into a GroupInfo.
    func checkLength() throws(MLSError) {
        let length = nodesLength + Int(size.nodeCount)
        if length > Limits.treeLength { throw MLSError(.tooLarge, "a ratchet tree of \(length) bytes") }
    }

    package func contains(encryptionKey: [UInt8]) -> Bool { encryptionKeys.contains(encryptionKey) }
    package func contains(signatureKey: [UInt8]) -> Bool { signatureKeys.contains(signatureKey) }

    // MARK: Changes

    /// The leftmost blank leaf, in a tree that is extended when there is none (RFC 9420 §7.7). The leaf stays blank.
    ///
    /// - Throws: `tooLarge` at the limit of leaves.
    package mutating func reserveLeaf() throws(MLSError) -> LeafIndex {
        while firstBlankBound < leafCount, self[LeafIndex(firstBlankBound)] != nil { firstBlankBound += 1 }
        if firstBlankBound == leafCount {
            if leafCount >= Limits.leaves { throw MLSError(.tooLarge, "a tree of more than \(Limits.leaves) leaves") }
            resize(leaves: leafCount + 1)
        }
        return LeafIndex(firstBlankBound)
    }

    /// Adds a member as Add proposals do: at the leftmost blank leaf, unmerged at every node above (RFC 9420 §12.1.1).
    ///
    /// - Throws: `tooLarge` at the limit of leaves.
    package mutating func addLeaf(_ leaf: LeafNode) throws(MLSError) -> LeafIndex {
        let index = try reserveLeaf()
        set(.leaf(leaf), at: index.node)
        for above in size.directPath(of: index.node) {
            guard var parent = parentNode(above) else { continue }
            let place = parent.unmergedLeaves.partitioningIndex { $0 >= index }
            parent.unmergedLeaves.insert(index, at: place)
            set(.parent(parent), at: above)
        }
        return index
    }

    /// Replaces a member's leaf as Update proposals do, and blanks the nodes above (RFC 9420 §12.1.2).
    ///
    /// - Throws: `invalidProposal` if the leaf is blank.
    package mutating func updateLeaf(_ leaf: LeafNode, at index: LeafIndex) throws(MLSError) {
        if self[index] == nil { throw MLSError(.invalidProposal, "an update of \(index), which is blank") }
        set(.leaf(leaf), at: index.node)
        blankDirectPath(of: index)
    }

    /// Removes a member as Remove proposals do: blanks it and the nodes above, and truncates the tree (RFC 9420
    /// §12.1.3).
    ///
    /// - Throws: `invalidProposal` if the leaf is blank.
    package mutating func removeLeaf(_ index: LeafIndex) throws(MLSError) {
        if self[index] == nil { throw MLSError(.invalidProposal, "a removal of \(index), which is blank") }
        set(nil, at: index.node)
        blankDirectPath(of: index)
        firstBlankBound = min(firstBlankBound, index.value)
        // The end is lowered only here, so that many removals together walk over the leaves once.
        while memberBound > 0, self[LeafIndex(memberBound - 1)] == nil { memberBound -= 1 }
        resize(leaves: min(leafCount, TreeSize(leaves: memberBound).leafCount))
        firstBlankBound = min(firstBlankBound, leafCount)
    }

    /// From here on, changes are tracked again.
    mutating func markStored() { changedBlocks = [] }

    /// Nothing of this tree is stored with its group.
    mutating func markNew() { changedBlocks = nil }

    mutating func blankDirectPath(of leaf: LeafIndex) {
        for above in size.directPath(of: leaf.node) where self[above] != nil { set(nil, at: above) }
    }

    /// Widens the tree with blanks or cuts its right part off.
    mutating func resize(leaves: UInt32) {
        let newSize = TreeSize(leaves: leaves)
        for index in stride(from: newSize.nodeCount, to: size.nodeCount, by: 1) {
            // A node that goes must leave the indexes, too.
            if slots[Int(index)].node != nil { set(nil, at: NodeIndex(index)) }
        }
        size = newSize
        slots.resize(to: Int(newSize.nodeCount), filler: Slot())
    }

    /// The only way in which a node changes: keeps the indexes right and forgets the hashes above.
    mutating func set(_ node: Node?, at index: NodeIndex) {
        let position = Int(index.value)
        changedBlocks?.insert(TreeBlock(of: index))
        if let old = slots[position].node {
            filledNodes -= 1
            nodesLength -= old.encodedLength
            encryptionKeys.remove(old.encryptionKey)
            if case .leaf(let leaf) = old {
                signatureKeys.remove(leaf.signatureKey)
                tally.remove(leaf)
            }
        }
        slots[position].node = node
        if let node {
            filledNodes += 1
            nodesLength += node.encodedLength
            if let leaf = index.leaf { memberBound = max(memberBound, leaf.value + 1) }
            encryptionKeys.insert(node.encryptionKey)
            if case .leaf(let leaf) = node {
                signatureKeys.insert(leaf.signatureKey)
                tally.add(leaf)
            }
        }
        forgetHash(from: index)
    }

    private mutating func forgetHash(from index: NodeIndex) {
        var current = index
        while size.contains(current), slots[Int(current.value)].hash != nil {
            slots[Int(current.value)].hash = nil
            if current == size.root { return }
            current = current.parent
        }
    }
}

extension RandomAccessCollection {
    /// The first index for which `predicate` holds, when it holds for all elements from there on.
    func partitioningIndex(where predicate: (Element) -> Bool) -> Index {
        var low = startIndex
        var count = self.count
        while count > 0 {
            let half = count / 2
            let middle = index(low, offsetBy: half)
            if predicate(self[middle]) {
                count = half
            } else {
                low = index(after: middle)
                count -= half + 1
            }
        }
        return low
    }
}
