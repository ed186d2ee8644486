import MLS

/// What Add, Update and Remove do to a tree (RFC 9420 §12.1).
public enum TreeOperations: VectorKind {
    public static let name = "tree-operations"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let tree_before: Hex
        let tree_hash_before: Hex
        let proposal: Hex
        let proposal_sender: UInt32
        let tree_after: Hex
        let tree_hash_after: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        var tree = try RatchetTree(decoding: vector.tree_before.bytes)
        try expectEqual(Hex(tree.encoded), vector.tree_before, "the tree before, written again")
        try expectEqual(Hex(tree.treeHash(crypto: crypto)), vector.tree_hash_before, "the tree hash before")

        var proposal = TLSReader(vector.proposal.bytes)
        switch try proposal.read(ProposalType.self) {
        case .add: _ = try tree.addLeaf(proposal.read(KeyPackage.self).leafNode)
        case .update: try tree.updateLeaf(proposal.read(), at: LeafIndex(vector.proposal_sender))
        case .remove: try tree.removeLeaf(proposal.read())
        case let type: throw VectorSkip("proposal type \(type.rawValue) changes no tree")
        }
        try proposal.expectEnd()
        try expectEqual(Hex(tree.encoded), vector.tree_after, "the tree after")
        try expectEqual(Hex(tree.treeHash(crypto: crypto)), vector.tree_hash_after, "the tree hash after")
    }
}
