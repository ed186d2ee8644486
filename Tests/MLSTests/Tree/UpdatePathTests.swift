import Testing

@testable import MLS

/// Update paths that a hostile member could send, each with one thing wrong.
struct UpdatePathTests {
    private let group: TestTree
    private let path: UpdatePath
    private let committer = LeafIndex(0)
    private let receiver = LeafIndex(2)

    init() throws {
        var group = try TestTree(members: 4, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(1))
        path = try group.makePath(from: LeafIndex(0)).path
        self.group = group
    }

    private func apply(_ path: UpdatePath, from committer: LeafIndex? = nil, groupID: [UInt8]? = nil) throws
        -> RatchetTree
    {
        var tree = group.tree
        let before = tree.treeHash(crypto: group.crypto)
        do {
            try tree.applyUpdatePath(
                path, from: committer ?? self.committer, groupID: groupID ?? group.groupID, groupExtensions: [],
                crypto: group.crypto)
        } catch {
            #expect(tree.treeHash(crypto: group.crypto) == before, "a refused path has changed the tree")
            #expect(tree.encoded == group.tree.encoded)
            throw error
        }
        return tree
    }

    private func decrypt(_ path: UpdatePath, context: [UInt8]? = nil, with privateTree: PrivateTree? = nil) throws {
        let tree = try apply(self.path)
        let own = try #require(group.privateTrees[receiver])
        _ = try tree.decryptUpdatePath(
            path, from: committer, with: privateTree ?? own, groupContext: context ?? group.context, excluding: [],
            crypto: group.crypto)
    }

    /// The path's leaf node with another key, source or place, signed by its owner.
    private func leaf(
        key: [UInt8]? = nil, source: LeafNodeSource? = nil, signer: LeafIndex? = nil, place: LeafIndex? = nil
    ) throws -> LeafNode {
        try LeafNode(
            encryptionKey: key ?? path.leafNode.encryptionKey, profile: path.leafNode.profile,
            source: source ?? path.leafNode.source,
            placement: .init(groupID: group.groupID, leafIndex: place ?? committer),
            signer: #require(group.members[signer ?? committer]).signer, crypto: group.crypto)
    }

    private func nodes(_ change: (inout [UpdatePathNode]) -> Void) -> UpdatePath {
        var nodes = path.nodes
        change(&nodes)
        return UpdatePath(leafNode: path.leafNode, nodes: nodes)
    }

    @Test func theyAreTakenBeforeTheyAreBroken() throws {
        _ = try apply(path)
        _ = try apply(UpdatePath(leafNode: leaf(), nodes: path.nodes))
        try decrypt(path)
    }

    @Test func pathsThatBreakARuleLeaveTheTreeAlone() throws {
        let root = try #require(group.tree[NodeIndex(3)]).encryptionKey
        let old = try #require(group.tree[committer]).encryptionKey
        func key(_ bytes: [UInt8]) -> UpdatePath {
            nodes { $0[0] = UpdatePathNode(encryptionKey: bytes, encryptedPathSecret: $0[0].encryptedPathSecret) }
        }
        let breaks: [(String, MLSError.Code, UpdatePath)] = try [
            ("a node too few", .invalidCommit, nodes { $0.removeLast() }),
            ("a node too many", .invalidCommit, nodes { $0.append($0[0]) }),
            ("a key twice", .invalidCommit, key(path.nodes[1].encryptionKey)),
            ("the leaf's key again", .invalidCommit, key(path.leafNode.encryptionKey)),
            ("a key of the tree", .invalidCommit, key(root)),
            ("a key that is none", .invalidKey, key([1])),
            ("nodes in another order", .invalidCommit, nodes { $0.reverse() }),
            ("the old leaf key", .invalidLeafNode, .init(leafNode: leaf(key: old), nodes: path.nodes)),
            ("a leaf key that is none", .invalidKey, .init(leafNode: leaf(key: []), nodes: path.nodes)),
            ("a leaf of an update", .invalidLeafNode, .init(leafNode: leaf(source: .update), nodes: path.nodes)),
            (
                "a leaf of a key package", .invalidLeafNode,
                .init(leafNode: leaf(source: .keyPackage(TestMember.lifetime)), nodes: path.nodes)
            ),
            (
                "another parent hash", .invalidCommit,
                .init(leafNode: leaf(source: .commit(parentHash: [1])), nodes: path.nodes)
            ),
            (
                "somebody else's signature key", .invalidLeafNode,
                .init(leafNode: leaf(signer: receiver), nodes: path.nodes)
            ),
            ("signed for another place", .invalidSignature, .init(leafNode: leaf(place: receiver), nodes: path.nodes)),
        ]
        for (what, code, broken) in breaks { expectError(code, what) { try apply(broken) } }
        expectError(.invalidSignature, "another group") { try apply(path, groupID: [7]) }
        for outside in [4, 1 << 31, .max] as [UInt32] {
            expectError(.invalidCommit, "from outside") { try apply(path, from: LeafIndex(outside)) }
        }
    }

    /// A committer can make the parent hash fit whatever keys it likes, so the keys are checked separately.
    @Test func keysThatOccurTwiceAreRefusedThoughTheParentHashFits() throws {
        func sound(_ keys: [[UInt8]]) throws -> UpdatePath {
            var tree = group.tree
            let steps = tree.filteredDirectPath(of: committer)
            let hash = tree.setPath(of: committer, steps: steps, publicKeys: keys, crypto: group.crypto)
            let nodes = zip(keys, path.nodes).map {
                UpdatePathNode(encryptionKey: $0, encryptedPathSecret: $1.encryptedPathSecret)
            }
            return UpdatePath(leafNode: try leaf(source: .commit(parentHash: hash)), nodes: nodes)
        }
        let keys = try (0..<2).map { _ in try group.crypto.generateHPKEKey(group.entropy).publicKey }
        let other = try #require(group.tree[LeafIndex(3)]).encryptionKey
        _ = try apply(sound(keys))
        expectError(.invalidCommit, "twice") { try apply(sound([keys[0], keys[0]])) }
        expectError(.invalidCommit, "the leaf's") { try apply(sound([keys[0], path.leafNode.encryptionKey])) }
        expectError(.invalidCommit, "another member's") { try apply(sound([other, keys[1]])) }
    }

    @Test func secretsThatDoNotFitAreRefused() throws {
        func sealed(_ change: (inout [HPKECiphertext]) -> Void) -> UpdatePath {
            nodes {
                // The receiver is below the other child of the root, which is the last node.
                var ciphertexts = $0[1].encryptedPathSecret
                change(&ciphertexts)
                $0[1] = UpdatePathNode(encryptionKey: $0[1].encryptionKey, encryptedPathSecret: ciphertexts)
            }
        }
        expectError(.invalidCommit, "one too few") { try decrypt(sealed { $0.removeLast() }) }
        expectError(.invalidCommit, "one too many") { try decrypt(sealed { $0.append($0[0]) }) }
        expectError(.invalidCommit, "one too many, not for us") {
            try decrypt(
                nodes { $0[0] = UpdatePathNode(encryptionKey: $0[0].encryptionKey, encryptedPathSecret: []) })
        }
        expectError(.decryptionFailed, "changed") { try decrypt(sealed { $0[0].ciphertext[0] ^= 1 }) }
        expectError(.decryptionFailed, "no key") { try decrypt(sealed { $0[0].kemOutput = [] }) }
        expectError(.decryptionFailed, "a key of small order") {
            try decrypt(sealed { $0[0].kemOutput = Array(repeating: 0, count: 32) })
        }
        expectError(.decryptionFailed, "another group context") { try decrypt(path, context: [0]) }
        expectError(.invalidCommit, "a node too few") { try decrypt(nodes { $0.removeLast() }) }

        let own = try #require(group.privateTrees[receiver])
        let other = try group.crypto.encryptWithLabel(
            to: own.leafKey.publicKey, label: "UpdatePathNode", context: group.context,
            group.entropy.secret(32), group.entropy)
        expectError(.decryptionFailed, "a secret of other keys") { try decrypt(sealed { $0[0] = other }) }
        let stranger = try group.crypto.generateHPKEKey(group.entropy)
        expectError(.decryptionFailed, "we have no key") {
            try decrypt(path, with: PrivateTree(ownLeaf: receiver, leafKey: stranger))
        }
        expectError(.invalidCommit, "our own path") { try decrypt(path, with: group.privateTrees[committer]) }
    }

    @Test func aNewMemberIsNotSealedToAndStartsFromItsPathSecret() throws {
        var group = group
        let newcomer = try group.add(TestMember("new", crypto: group.crypto, entropy: group.entropy))
        let (path, prepared, after) = try group.makePath(from: committer, excluding: [newcomer])
        #expect(path.nodes.last?.encryptedPathSecret.isEmpty == true)
        let leafKey = try #require(group.privateTrees[newcomer]).leafKey
        func join(_ secret: Secret?, at leaf: LeafIndex, _ key: HPKEPrivateKey) throws -> PrivateTree {
            try PrivateTree(
                ownLeaf: leaf, leafKey: key, pathSecret: secret, from: committer, in: after, crypto: group.crypto)
        }
        let secret = try #require(prepared.pathSecret(for: newcomer))
        #expect(try join(secret, at: newcomer, leafKey).nodeKeys.keys.sorted() == [NodeIndex(7)])
        #expect(try join(nil, at: newcomer, leafKey).nodeKeys.isEmpty)
        expectError(.invalidWelcome, "another secret") { try join(group.entropy.secret(32), at: newcomer, leafKey) }
        expectError(.invalidWelcome, "another leaf") { try join(secret, at: receiver, leafKey) }
        expectError(.invalidWelcome, "no such leaf") { try join(secret, at: LeafIndex(.max), leafKey) }
        #expect(prepared.pathSecret(for: committer) == nil)
    }

    @Test func mutatedPathsNeverTrapAndAreNeverTaken() throws {
        try checkMutations(of: path.encoded, as: UpdatePath.self)
        let valid = path.encoded
        for place in valid.indices {
            var changed = valid
            changed[place] ^= 1
            guard let broken = try? UpdatePath(decoding: changed) else { continue }
            // We cannot open what is sealed to others, so we can refuse only the public part and our own ciphertext.
            guard (try? apply(broken)) == nil, broken.nodes[1] != path.nodes[1] else { continue }
            #expect(throws: MLSError.self, "byte \(place)") { try decrypt(broken) }
        }
    }
}
