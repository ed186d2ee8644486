import MLS
import Testing

struct RatchetTreeTests {
    /// What must hold for a tree whatever happened to it.
    private func checkInvariants(_ group: inout TestTree, _ what: String) throws {
        // A tree that is read again has no cached hash and fresh indexes.
        var fresh = try RatchetTree(decoding: group.tree.encoded)
        #expect(fresh.treeHash(crypto: group.crypto) == group.tree.treeHash(crypto: group.crypto), "\(what)")
        #expect(fresh.leafCount == group.tree.leafCount, "\(what)")
        #expect(fresh.memberCount == group.tree.memberCount, "\(what)")
        #expect(Set(group.tree.members.map(\.0)) == Set(group.members.keys), "\(what)")
        try fresh.validate(groupID: group.groupID, extensions: [], now: nil, crypto: group.crypto)
        // Every member has the keys of exactly those nodes above it that it is merged at.
        for (leaf, privateTree) in group.privateTrees {
            let expected = fresh.size.directPath(of: leaf.node).filter { node in
                if case .parent(let parent) = fresh[node] { !parent.unmergedLeaves.contains(leaf) } else { false }
            }
            #expect(Set(privateTree.nodeKeys.keys) == Set(expected), "\(what), \(leaf)")
            for (node, key) in privateTree.nodeKeys { #expect(fresh[node]?.encryptionKey == key.publicKey, "\(what)") }
        }
    }

    @Test(arguments: [1, 2, 6] as [UInt16])
    func aLongLifeOfCommitsKeepsAllMembersTogether(number: UInt16) throws {
        var group = try TestTree(members: 3, crypto: suite(number), seed: UInt64(number))
        let entropy = SeededEntropy(seed: 99)
        for step in 0..<(number == 1 ? 60 : 15) {
            let committer = group.members.keys.sorted()[entropy.below(group.members.count)]
            var newLeaves: Set<LeafIndex> = []
            for _ in 0..<entropy.below(3) {
                let member = try TestMember("late \(step)", crypto: group.crypto, entropy: group.entropy)
                newLeaves.insert(try group.add(member))
            }
            for victim in group.members.keys.sorted()
            where victim != committer && !newLeaves.contains(victim) && entropy.below(6) == 0 {
                try group.remove(victim)
            }
            let secrets = try group.commit(from: committer, adding: newLeaves)
            #expect(secrets.count == group.members.count - newLeaves.count)
            #expect(secrets.allSatisfy { $0 == secrets[0] }, "step \(step)")
            try checkInvariants(&group, "step \(step)")
        }
    }

    @Test func theTreeDoublesWhenFullAndHalvesWhenItsRightHalfEmpties() throws {
        var group = try TestTree(members: 5, crypto: suite(1))
        #expect(group.tree.leafCount == 8)
        try group.remove(LeafIndex(1))
        #expect(group.tree.leafCount == 8)
        try group.remove(LeafIndex(4))
        #expect(group.tree.leafCount == 4)
        try group.remove(LeafIndex(3))
        #expect(group.tree.leafCount == 4)
        try group.remove(LeafIndex(2))
        #expect(group.tree.leafCount == 1)
        #expect(group.tree.members.map(\.0) == [LeafIndex(0)])
    }

    @Test func aNewMemberTakesTheLeftmostBlankLeaf() throws {
        var group = try TestTree(members: 6, crypto: suite(1))
        try group.remove(LeafIndex(4))
        try group.remove(LeafIndex(1))
        let entropy = group.entropy
        for expected in [1, 4, 6, 7, 8] as [UInt32] {
            let index = try group.add(TestMember("new", crypto: group.crypto, entropy: entropy))
            #expect(index == LeafIndex(expected))
        }
        #expect(group.tree.leafCount == 16)
    }

    @Test func aCopyIsUntouchedByWhatHappensToTheOther() throws {
        var group = try TestTree(members: 70, crypto: suite(1))
        _ = group.tree.treeHash(crypto: group.crypto)
        var copy = group.tree
        let before = copy.encoded
        let hash = copy.treeHash(crypto: group.crypto)
        let key = try #require(copy[LeafIndex(69)]).encryptionKey
        try group.remove(LeafIndex(69))
        _ = try group.commit(from: LeafIndex(3))
        #expect(copy.encoded == before)
        #expect(copy.treeHash(crypto: group.crypto) == hash)
        #expect(copy.contains(encryptionKey: key))
        #expect(!group.tree.contains(encryptionKey: key))
        #expect(group.tree.treeHash(crypto: group.crypto) != hash)
    }

    @Test func anUpdateBlanksTheNodesAboveAndVoidsTheirKeys() throws {
        var group = try TestTree(members: 4, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(0))
        let member = try TestMember("again", crypto: group.crypto, entropy: group.entropy)
        try group.tree.updateLeaf(member.leaf, at: LeafIndex(2))
        #expect(group.tree.resolution(of: NodeIndex(3)) == [NodeIndex(1), NodeIndex(4), NodeIndex(6)])
        group.privateTrees[LeafIndex(0)]?.prune(to: group.tree)
        #expect(group.privateTrees[LeafIndex(0)]?.nodeKeys.keys.sorted() == [NodeIndex(1)])
    }

    @Test func changesToLeavesThatAreNotThereAreRefused() throws {
        var group = try TestTree(members: 3, crypto: suite(1))
        let leaf = try #require(group.tree[LeafIndex(0)])
        for index in [3, 4, 1 << 16, 1 << 31, .max] as [UInt32] {
            expectError(.invalidProposal) { try group.tree.removeLeaf(LeafIndex(index)) }
            expectError(.invalidProposal) { try group.tree.updateLeaf(leaf, at: LeafIndex(index)) }
            #expect(group.tree[LeafIndex(index)] == nil)
            #expect(group.tree.filteredDirectPath(of: LeafIndex(index)).isEmpty || index == 3)
        }
        var empty = RatchetTree()
        #expect(empty.treeHash(crypto: group.crypto).isEmpty)
        expectError(.invalidProposal) { try empty.removeLeaf(LeafIndex(0)) }
        expectError(.invalidTree) { try RatchetTree(decoding: empty.encoded) }
    }

    @Test func oneMemberAloneCommitsAnEmptyPath() throws {
        var group = try TestTree(members: 1, crypto: suite(1))
        let (path, _, _) = try group.makePath(from: LeafIndex(0))
        #expect(path.nodes.isEmpty)
        #expect(try group.commit(from: LeafIndex(0)).count == 1)
        try checkInvariants(&group, "alone")
    }

    @Test func someoneFromOutsideMayCommitFromAReservedLeaf() throws {
        for count in [3, 4] {
            var group = try TestTree(members: count, crypto: suite(1))
            _ = try group.commit(from: LeafIndex(0))
            let newcomer = try TestMember("outside", crypto: group.crypto, entropy: group.entropy)
            var theirs = group.tree
            let place = try theirs.reserveLeaf()
            let prepared = try theirs.prepareUpdatePath(
                from: place, profile: newcomer.leaf.profile, groupID: group.groupID, signer: newcomer.signer,
                crypto: group.crypto, entropy: group.entropy)
            let path = try theirs.encryptUpdatePath(
                prepared, groupContext: group.context, excluding: [], crypto: group.crypto, entropy: group.entropy)

            #expect(try group.tree.reserveLeaf() == place)
            try group.tree.applyUpdatePath(
                path, from: place, groupID: group.groupID, groupExtensions: [], crypto: group.crypto)
            #expect(group.tree.encoded == theirs.encoded)
            for (_, privateTree) in group.privateTrees {
                let received = try group.tree.decryptUpdatePath(
                    path, from: place, with: privateTree, groupContext: group.context, excluding: [],
                    crypto: group.crypto)
                #expect(received.commitSecret == prepared.commitSecret)
            }
        }
    }

    @Test func privateKeysComeBackFromStorage() throws {
        var group = try TestTree(members: 4, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(1))
        let privateTree = try #require(group.privateTrees[LeafIndex(0)])
        let stored = privateTree.serialized
        let restored = try PrivateTree(serialized: stored, crypto: group.crypto)
        #expect(restored.serialized == stored)
        #expect(restored.nodeKeys.count == 2)
        for end in stored.indices {
            #expect(throws: MLSError.self) { try PrivateTree(serialized: Array(stored[..<end]), crypto: group.crypto) }
        }
        for place in stored.indices {
            var changed = stored
            changed[place] ^= 0x41
            // It is refused, or read as something that says so when written: never a trap.
            if let other = try? PrivateTree(serialized: changed, crypto: group.crypto) {
                #expect(other.serialized != stored)
            }
        }
    }
}
