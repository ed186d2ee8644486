/// The array form of a full binary tree (RFC 9420 appendix C), here with four leaves:
///
///           3
///        .--+--.
///       1       5
///      / \     / \
///     0   2   4   6
///
/// A node's level is the number of its trailing one bits, so that parents and children are found by bits alone. None of
/// these functions knows how wide the tree is; callers that ask for a parent stop at the root.
extension NodeIndex {
    /// How many steps it is above the leaves.
    package var level: Int { (~value).trailingZeroBitCount }

    package var isLeaf: Bool { value % 2 == 0 }

    /// Nil for a leaf.
    package var left: NodeIndex? {
        isLeaf ? nil : NodeIndex(value ^ (1 << UInt32(level - 1)))
    }

    /// Nil for a leaf.
    package var right: NodeIndex? {
        isLeaf ? nil : NodeIndex(value ^ (3 << UInt32(level - 1)))
    }

    /// The node above in an infinite tree.
    package var parent: NodeIndex {
        let level = UInt32(level)
        let side = (value >> (level + 1)) & 1
        return NodeIndex((value | (1 << level)) ^ (side << (level + 1)))
    }

    /// The other child of the parent.
    package var sibling: NodeIndex {
        let level = UInt32(level)
        return NodeIndex(value ^ (2 << level))
    }

    /// Whether this node is `ancestor` or below it.
    package func isInSubtree(of ancestor: NodeIndex) -> Bool {
        let shift = UInt32(ancestor.level) + 1
        return level <= ancestor.level && value >> shift == ancestor.value >> shift
    }

    /// The child on the way down to a node, which must be below.
    func child(toward node: NodeIndex) -> NodeIndex? {
        guard let left, let right else { return nil }
        return node.isInSubtree(of: left) ? left : right
    }
}

/// The dimensions of a full tree with `leafCount` leaves, a power of two (or zero for no tree at all).
package struct TreeSize: Hashable, Sendable {
    package let leafCount: UInt32

    /// The smallest full tree with room for that many leaves.
    package init(leaves: UInt32) {
        var width: UInt32 = leaves == 0 ? 0 : 1
        while width < min(leaves, 1 << 31) { width <<= 1 }
        leafCount = width
    }

    package var nodeCount: UInt32 { leafCount == 0 ? 0 : (leafCount - 1) &* 2 &+ 1 }
    /// Nil for a tree without leaves.
    package var root: NodeIndex? { leafCount == 0 ? nil : NodeIndex(leafCount - 1) }

    package func contains(_ node: NodeIndex) -> Bool { node.value < nodeCount }

    /// The nodes above a node, from its parent to the root (RFC 9420 §4.1.1); empty for one that is not in the tree.
    package func directPath(of node: NodeIndex) -> [NodeIndex] {
        guard let root, contains(node) else { return [] }
        var path: [NodeIndex] = []
        path.reserveCapacity(max(0, root.level - node.level))
        var current = node
        while current != root {
            current = current.parent
            path.append(current)
        }
        return path
    }
}
