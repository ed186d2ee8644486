/// Tree hashes and parent hashes (RFC 9420 §7.8 and §7.9).
extension RatchetTree {
    /// The tree hash of the root; only what has changed since the last time is computed. Empty for a tree without
    /// leaves.
    package mutating func treeHash(crypto: any SuiteCrypto) -> [UInt8] {
        guard let root = size.root else { return [] }
        return treeHash(of: root, crypto: crypto)
    }

    /// The tree hash of a subtree, which must be in the tree.
    package mutating func treeHash(of index: NodeIndex, crypto: any SuiteCrypto) -> [UInt8] {
        if let known = slots[Int(index.value)].hash { return known }
        let hash: [UInt8]
        if let left = index.left, let right = index.right {
            hash = Self.parentTreeHash(
                parentNode(index), left: treeHash(of: left, crypto: crypto), right: treeHash(of: right, crypto: crypto),
                crypto: crypto)
        } else {
            hash = Self.leafTreeHash(index, self[LeafIndex(index.value / 2)], crypto: crypto)
        }
        slots[Int(index.value)].hash = hash
        return hash
    }

    /// The tree hash a subtree would have if some of its leaves had never been added: what a parent hash was made over.
    ///
    /// - Parameter absent: in ascending order.
    mutating func treeHash(of index: NodeIndex, without absent: ArraySlice<LeafIndex>, crypto: any SuiteCrypto)
        -> [UInt8]
    {
        if absent.isEmpty { return treeHash(of: index, crypto: crypto) }
        guard let left = index.left, let right = index.right else {
            return Self.leafTreeHash(index, nil, crypto: crypto)
        }
        var parent = parentNode(index)
        if parent?.unmergedLeaves.isEmpty == false {
            let absentSet = Set(absent)
            parent?.unmergedLeaves.removeAll(where: absentSet.contains)
        }
        let middle = absent.partitioningIndex { $0.node > index }
        return Self.parentTreeHash(
            parent, left: treeHash(of: left, without: absent[..<middle], crypto: crypto),
            right: treeHash(of: right, without: absent[middle...], crypto: crypto), crypto: crypto)
    }

    /// The parent hash of a node for the child on the other side of `sibling` (RFC 9420 §7.9).
    mutating func parentHash(of parent: ParentNode, sibling: NodeIndex, crypto: any SuiteCrypto) -> [UInt8] {
        var input = TLSWriter()
        input.writeOpaque(parent.encryptionKey)
        input.writeOpaque(parent.parentHash)
        let absent = parent.unmergedLeaves.filter { $0.node.isInSubtree(of: sibling) }
        input.writeOpaque(treeHash(of: sibling, without: absent[...], crypto: crypto))
        return crypto.hash(input.bytes)
    }

    /// TreeHashInput of a leaf.
    private static func leafTreeHash(_ index: NodeIndex, _ leaf: LeafNode?, crypto: any SuiteCrypto) -> [UInt8] {
        var input = TLSWriter()
        input.write(UInt8(1))
        input.write(index.value / 2)
        input.writeOptional(leaf)
        return crypto.hash(input.bytes)
    }

    /// TreeHashInput of a parent.
    private static func parentTreeHash(
        _ parent: ParentNode?, left: [UInt8], right: [UInt8], crypto: any SuiteCrypto
    ) -> [UInt8] {
        var input = TLSWriter()
        input.write(UInt8(2))
        input.writeOptional(parent)
        input.writeOpaque(left)
        input.writeOpaque(right)
        return crypto.hash(input.bytes)
    }
}
