import Testing

@testable import MLS

struct TreeBlockTests {
    @Test(arguments: [1, 2, 8, 16, 64, 256, 4096] as [UInt32])
    func everyNodeLiesInOneBlock(leaves: UInt32) {
        let size = TreeSize(leaves: leaves)
        var seen: Set<NodeIndex> = []
        for block in TreeBlock.all(in: size) {
            for node in block.nodes(in: size) {
                #expect(TreeBlock(of: node) == block)
                #expect(seen.insert(node).inserted, "\(node) lies in two blocks")
            }
        }
        #expect(seen.count == Int(size.nodeCount))
    }

    @Test func aPathLiesInFewBlocks() {
        let size = TreeSize(leaves: 1024)
        for leaf in stride(from: UInt32(0), to: 1024, by: 37) {
            let node = LeafIndex(leaf).node
            let blocks = Set(([node] + size.directPath(of: node)).map(TreeBlock.init(of:)))
            #expect(blocks.count == 3)
        }
    }

    @Test func numbersThatNoTreeHasAreHarmless() {
        let largest = TreeSize(leaves: Limits.leaves)
        for tier in UInt8.min...UInt8.max {
            #expect(TreeBlock(tier: tier, number: .max).nodes(in: largest).isEmpty)
        }
    }

    @Test func aTreeComesBackFromItsBlocks() throws {
        var tree = try TestTree(members: 40, crypto: suite(1))
        _ = try tree.commit(from: LeafIndex(3))
        let blocks = encodedBlocks(tree.tree)
        #expect(try RatchetTree(blocks: blocks).encoded == tree.tree.encoded)
        for (block, bytes) in blocks {
            var damaged = blocks
            for wrong in [[], bytes.dropLast(), bytes + [0]] {
                damaged[block] = Array(wrong)
                #expect(throws: MLSError.self) { try RatchetTree(blocks: damaged) }
            }
        }
    }

    @Test func aCommitChangesTheBlocksAboveItsLeaf() throws {
        var tree = try TestTree(members: 40, crypto: suite(1))
        tree.tree.markStored()
        let before = encodedBlocks(tree.tree)
        _ = try tree.commit(from: LeafIndex(3))
        let changed = try #require(tree.tree.changedBlocks)
        for (block, bytes) in encodedBlocks(tree.tree) where bytes != before[block] {
            #expect(changed.contains(block))
        }
        #expect(changed.count <= 2)
    }

    private func encodedBlocks(_ tree: RatchetTree) -> [TreeBlock: [UInt8]] {
        var blocks: [TreeBlock: [UInt8]] = [:]
        for block in TreeBlock.all(in: tree.size) { blocks[block] = tree.encoded(block) }
        return blocks
    }
}
