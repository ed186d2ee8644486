import MLS

/// The array form of the tree (RFC 9420 appendix C).
public enum TreeMath: VectorKind {
    public static let name = "tree-math"

    public struct Case: Decodable, Sendable {
        let n_leaves: UInt32
        let n_nodes: UInt32
        let root: UInt32
        let left: [UInt32?]
        let right: [UInt32?]
        let parent: [UInt32?]
        let sibling: [UInt32?]
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let size = TreeSize(leaves: vector.n_leaves)
        try expectEqual(size.leafCount, vector.n_leaves, "the leaf count")
        try expectEqual(size.nodeCount, vector.n_nodes, "the node count")
        try expectEqual(size.root?.value, vector.root, "the root")
        for value in 0..<vector.n_nodes {
            let node = NodeIndex(value)
            let isRoot = node == size.root
            try expectEqual(node.left?.value, vector.left.entry(value, of: "left"), "left of \(node)")
            try expectEqual(node.right?.value, vector.right.entry(value, of: "right"), "right of \(node)")
            try expectEqual(
                isRoot ? nil : node.parent.value, vector.parent.entry(value, of: "parent"), "parent of \(node)")
            try expectEqual(
                isRoot ? nil : node.sibling.value, vector.sibling.entry(value, of: "sibling"), "sibling of \(node)")
        }
    }
}
