import Testing

@testable import MLS

/// RFC 9420 §16 asks for bounds on what others may cost us: those of ``Limits`` on the receiving side.
struct ReceivedLimitTests {
    /// A scene whose tree is nearly as long as a tree may be, for the victim and the forger alike.
    private func crowded(leaving room: Int) throws -> RuleScene {
        var scene = try RuleScene()
        func member(_ length: Int) throws -> LeafNode {
            try TestMember(
                "large", crypto: scene.crypto, entropy: scene.entropy,
                credential: .basic(identity: [UInt8](repeating: 1, count: length))
            ).leaf
        }
        let large = try member(60_000)
        var tree = scene.victim.current.tree
        while length(tree) + 130_000 < Limits.treeLength { _ = try tree.addLeaf(large) }
        let rest = Limits.treeLength - length(tree) - room
        for part in [rest / 2, rest - rest / 2] { _ = try tree.addLeaf(try member(part - 400)) }
        for index in [0, 1] { scene.world.clients[index].group.current.tree = tree }
        return scene
    }

    private func length(_ tree: RatchetTree) -> Int { tree.nodesLength + Int(tree.size.nodeCount) }

    @Test func noCommitMakesATreeThatIsTooLong() throws {
        var scene = try crowded(leaving: 3_000)
        let unchanged = scene
        #expect(throws: Never.self, "a path that fits") { try scene.forgeCommit() }
        // The forger, who follows the limit itself, sends another leaf than the one that it counts.
        let types = [ExtensionType.lastResort] + (0..<4_000).map { ExtensionType(UInt16(0x1000 + $0)) }
        let path = try scene.forgeCommit(path: { path in
            let leaf = try unchanged.leafNode(
                key: path.leafNode.encryptionKey, source: path.leafNode.source,
                capabilities: Capabilities(extensions: types))
            return UpdatePath(leafNode: leaf, nodes: path.nodes)
        })
        expectError(.tooLarge, "by a path") { try scene.process(path) }
        // And another tree.
        let name = [UInt8](repeating: 2, count: 500)
        let add = Proposal.add(try scene.keyPackage(credential: .basic(identity: name)))
        let message = try scene.forgeCommit([add], path: nil)
        func filler(_ length: Int) throws -> LeafNode {
            try TestMember(
                "filler", crypto: scene.crypto, entropy: scene.entropy,
                credential: .basic(identity: [UInt8](repeating: 1, count: length))
            ).leaf
        }
        let slack = Limits.treeLength - length(scene.victim.current.tree)
        let rest = slack - (try filler(1_000).encoded.count) - 100
        _ = try scene.world.clients[0].group.current.tree.addLeaf(try filler(1_000 + rest))
        try scene.victim.current.tree.checkLength()
        expectError(.tooLarge, "by an Add") { try scene.process(message) }
    }

    @Test func aTreeIsSoWideAndNoWider() throws {
        var tree = RatchetTree()
        let leaf = try TestMember("a", crypto: suite(1), entropy: SeededEntropy(seed: 1)).leaf
        tree.resize(leaves: Limits.leaves)
        for index in 0..<Limits.leaves { tree.set(.leaf(leaf), at: LeafIndex(index).node) }
        expectError(.tooLarge) { try tree.reserveLeaf() }
        expectError(.tooLarge) { try tree.addLeaf(leaf) }
        tree.set(nil, at: LeafIndex(0).node)
        #expect(tree.leafCount == Limits.leaves)
    }
}
