import MLS

/// Tree hashes, resolutions, parent hashes and leaf signatures of whole trees (RFC 9420 §4.1, §7.8 and §7.9).
public enum TreeValidation: VectorKind {
    public static let name = "tree-validation"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let tree: Hex
        let group_id: Hex
        let resolutions: [[UInt32]]
        let tree_hashes: [Hex]
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        var tree = try RatchetTree(decoding: vector.tree.bytes)
        try expectEqual(Hex(tree.encoded), vector.tree, "the tree, written again")
        try expectEqual(Int(tree.size.nodeCount), vector.tree_hashes.count, "the node count")
        for value in 0..<tree.size.nodeCount {
            let node = NodeIndex(value)
            try expectEqual(
                Hex(tree.treeHash(of: node, crypto: crypto)), vector.tree_hashes.entry(value, of: "tree_hashes"),
                "the tree hash of \(node)"
            )
            try expectEqual(
                tree.resolution(of: node).map(\.value), vector.resolutions.entry(value, of: "resolutions"),
                "the resolution of \(node)")
        }
        try tree.validate(groupID: vector.group_id.bytes, extensions: [], now: nil, crypto: crypto)
    }
}
