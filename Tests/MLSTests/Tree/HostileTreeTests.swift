import Testing

@testable import MLS

/// Trees that a hostile member or server could send, each with one thing wrong.
struct HostileTreeTests {
    /// Eight leaves; commits from 0, 4 and 6; leaf 5 removed and added again, so that it is unmerged at nodes 11 and 7:
    ///
    ///                7[5]
    ///          .------+------.
    ///          3            11[5]
    ///       .--+--.        .--+--.
    ///       1     _        _    13
    ///      / \   / \      / \   / \
    ///     0   1 2   3    4   5 6   7
    private static func group() throws -> TestTree {
        var group = try TestTree(members: 8, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(0))
        _ = try group.commit(from: LeafIndex(4))
        try group.remove(LeafIndex(5))
        _ = try group.commit(from: LeafIndex(6))
        try group.add(TestMember("back", crypto: group.crypto, entropy: group.entropy))
        return group
    }

    private static func nodes(_ tree: RatchetTree) -> [Node?] {
        (0..<tree.size.nodeCount).map { tree[NodeIndex($0)] }
    }

    private static func encode(_ nodes: [Node?]) -> [UInt8] {
        var writer = TLSWriter()
        writer.writeVector { writer in
            for node in nodes { writer.writeOptional(node) }
        }
        return writer.bytes
    }

    private static func change(_ node: inout Node?, _ body: (inout ParentNode) -> Void) {
        guard case .parent(var parent) = node else { return }
        body(&parent)
        node = .parent(parent)
    }

    private func validate(_ nodes: [Node?], _ group: TestTree, groupID: [UInt8]? = nil, now: UInt64? = nil) throws {
        var tree = try RatchetTree(decoding: Self.encode(nodes))
        try tree.validate(groupID: groupID ?? group.groupID, extensions: [], now: now, crypto: group.crypto)
    }

    @Test func theTreeIsValidBeforeItIsBroken() throws {
        let group = try Self.group()
        let nodes = Self.nodes(group.tree)
        #expect(nodes.indices.filter { nodes[$0] == nil } == [5, 9])
        #expect(group.tree.resolution(of: NodeIndex(7)) == [NodeIndex(7), NodeIndex(10)])
        try validate(nodes, group)
        try validate(nodes, group, now: 1_500)
    }

    @Test func eachThingThatIsWrongIsRefused() throws {
        let group = try Self.group()
        let fresh = try group.crypto.generateHPKEKey(group.entropy).publicKey
        let root = try #require(group.tree[NodeIndex(7)]).encryptionKey
        let breaks: [(String, MLSError.Code, (inout [Node?]) -> Void)] = [
            ("a blank at the end", .invalidTree, { $0.append(nil) }),
            ("no nodes", .invalidTree, { $0 = [] }),
            ("a parent in a leaf's place", .invalidTree, { $0[4] = .parent(ParentNode(encryptionKey: fresh)) }),
            ("a leaf in a parent's place", .invalidTree, { $0[5] = $0[2] }),
            ("unmerged above, merged below", .invalidTree, { Self.change(&$0[11]) { $0.unmergedLeaves = [] } }),
            ("unmerged below, merged above", .invalidTree, { Self.change(&$0[7]) { $0.unmergedLeaves = [] } }),
            ("unmerged elsewhere", .invalidTree, { Self.change(&$0[11]) { $0.unmergedLeaves = [LeafIndex(0)] } }),
            (
                "unmerged out of the tree", .invalidTree,
                { Self.change(&$0[7]) { $0.unmergedLeaves = [LeafIndex(.max)] } }
            ),
            ("unmerged and blank", .invalidTree, { $0[10] = nil }),
            (
                "unmerged, not ascending", .malformed,
                { Self.change(&$0[7]) { $0.unmergedLeaves = [LeafIndex(5), LeafIndex(4)] } }
            ),
            (
                "unmerged twice", .malformed,
                { Self.change(&$0[7]) { $0.unmergedLeaves = [LeafIndex(5), LeafIndex(5)] } }
            ),
            ("a member twice", .invalidTree, { $0[4] = $0[6] }),
            ("another key of a parent", .invalidTree, { Self.change(&$0[3]) { $0.encryptionKey = fresh } }),
            (
                "a parent's key twice", .invalidTree,
                { Self.change(&$0[3]) { $0.encryptionKey = root } }
            ),
            ("a parent's key that is none", .invalidKey, { Self.change(&$0[3]) { $0.encryptionKey = [1, 2, 3] } }),
            ("another parent hash", .invalidTree, { Self.change(&$0[11]) { $0.parentHash[0] ^= 1 } }),
            ("no parent hash", .invalidTree, { Self.change(&$0[11]) { $0.parentHash = [] } }),
            ("a parent hash of the root", .invalidTree, { Self.change(&$0[7]) { $0.parentHash = [1] } }),
            ("a made-up parent", .invalidTree, { $0[5] = .parent(ParentNode(encryptionKey: fresh)) }),
            ("a parent taken away", .invalidTree, { $0[11] = nil }),
            ("members in exchanged places", .invalidTree, { $0.swapAt(4, 6) }),
            ("the committer taken away", .invalidTree, { $0[12] = nil }),
        ]
        for (what, code, breakNodes) in breaks {
            var nodes = Self.nodes(group.tree)
            breakNodes(&nodes)
            expectError(code, what) { try validate(nodes, group) }
        }
    }

    @Test func keysOfTwoMembersMustDiffer() throws {
        let group = try TestTree(members: 2, crypto: suite(1))
        let members = try [LeafIndex(0), LeafIndex(1)].map { try #require(group.members[$0]) }
        func leaf(key: [UInt8], signer: SignaturePrivateKey) throws -> LeafNode {
            try LeafNode(
                encryptionKey: key, profile: members[1].leaf.profile, source: .keyPackage(TestMember.lifetime),
                placement: nil, signer: signer, crypto: group.crypto)
        }
        let fresh = try group.crypto.generateHPKEKey(group.entropy).publicKey
        let cases: [(LeafNode, MLSError.Code?)] = try [
            (leaf(key: fresh, signer: members[1].signer), nil),
            (leaf(key: members[0].leaf.encryptionKey, signer: members[1].signer), .invalidTree),
            (leaf(key: fresh, signer: members[0].signer), .invalidTree),
        ]
        // No parents, so that no parent hash gives it away.
        for (leaf, code) in cases {
            var nodes = Self.nodes(group.tree)
            nodes[2] = .leaf(leaf)
            if let code { expectError(code) { try validate(nodes, group) } } else { try validate(nodes, group) }
        }
    }

    /// A member who commits over a tree it has broken makes all hashes above valid again.
    @Test func aLeafUnmergedElsewhereIsRefusedThoughAllHashesFit() throws {
        var group = try Self.group()
        var nodes = Self.nodes(group.tree)
        Self.change(&nodes[3]) { $0.unmergedLeaves = [LeafIndex(4)] }
        group.tree = try RatchetTree(decoding: Self.encode(nodes))
        nodes = Self.nodes(try group.makePath(from: LeafIndex(6)).tree)
        expectError(.invalidTree) { try validate(nodes, group) }
        Self.change(&nodes[3]) { $0.unmergedLeaves = [] }
        expectError(.invalidTree) { try validate(nodes, group) }
    }

    /// Two members together: one commits with leaf 1 in place, the other one as if it were blank.
    @Test func aLeafMergedBelowOnlyIsRefusedThoughAllHashesFit() throws {
        var group = try TestTree(members: 8, crypto: suite(1))
        group.tree = try group.makePath(from: LeafIndex(2)).tree
        var nodes = Self.nodes(group.tree)
        let leaf = nodes[2]
        nodes[2] = nil
        group.tree = try RatchetTree(decoding: Self.encode(nodes))
        nodes = Self.nodes(try group.makePath(from: LeafIndex(6)).tree)
        nodes[2] = leaf
        Self.change(&nodes[7]) { $0.unmergedLeaves = [LeafIndex(1)] }
        expectError(.invalidTree) { try validate(nodes, group) }
    }

    /// A committer who gives the root a parent hash can make its leaf's fit.
    @Test func aParentHashOfTheRootIsRefusedThoughAllHashesFit() throws {
        var group = try TestTree(members: 2, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(0))
        let member = try #require(group.members[LeafIndex(0)])
        var tree = group.tree
        for (hash, isValid) in [([], true), ([1], false)] as [([UInt8], Bool)] {
            let key = try #require(tree[NodeIndex(1)]).encryptionKey
            let root = ParentNode(encryptionKey: key, parentHash: hash)
            tree.set(.parent(root), at: NodeIndex(1))
            let leaf = try LeafNode(
                encryptionKey: group.crypto.generateHPKEKey(group.entropy).publicKey, profile: member.leaf.profile,
                source: .commit(parentHash: tree.parentHash(of: root, sibling: NodeIndex(2), crypto: group.crypto)),
                placement: .init(groupID: group.groupID, leafIndex: LeafIndex(0)), signer: member.signer,
                crypto: group.crypto)
            tree.set(.leaf(leaf), at: NodeIndex(0))
            if isValid {
                try validate(Self.nodes(tree), group)
            } else {
                expectError(.invalidTree) { try validate(Self.nodes(tree), group) }
            }
        }
    }

    @Test func leavesOfAnotherGroupOrPlaceOrTimeAreRefused() throws {
        let group = try Self.group()
        let nodes = Self.nodes(group.tree)
        expectError(.invalidSignature) { try validate(nodes, group, groupID: [9]) }
        expectError(.expired) { try validate(nodes, group, now: 999) }
        expectError(.expired) { try validate(nodes, group, now: 2_001) }

        // Without parents, only the signature says where a leaf of an update is.
        var flat = try TestTree(members: 2, crypto: suite(1))
        let member = try #require(flat.members[LeafIndex(0)])
        let updated = try LeafNode(
            encryptionKey: flat.crypto.generateHPKEKey(flat.entropy).publicKey, profile: member.leaf.profile,
            source: .update, placement: .init(groupID: flat.groupID, leafIndex: LeafIndex(0)), signer: member.signer,
            crypto: flat.crypto)
        try flat.tree.updateLeaf(updated, at: LeafIndex(0))
        var places = Self.nodes(flat.tree)
        try validate(places, flat)
        places.swapAt(0, 2)
        expectError(.invalidSignature) { try validate(places, flat) }
    }

    @Test func whatTheGroupRequiresAllMembersMustSupport() throws {
        let group = try Self.group()
        var tree = group.tree
        func required(_ capabilities: RequiredCapabilities) -> [Extension] {
            [Extension(.requiredCapabilities, data: capabilities.encoded)]
        }
        func validate(_ extensions: [Extension]) throws {
            try tree.validate(groupID: group.groupID, extensions: extensions, now: nil, crypto: group.crypto)
        }
        try validate(
            required(.init(extensions: [.lastResort, .externalSenders], proposals: [.add], credentials: [.basic])))
        expectError(.invalidTree) { try validate(required(.init(extensions: [ExtensionType(0xF001)]))) }
        expectError(.invalidTree) { try validate(required(.init(proposals: [ProposalType(0xF001)]))) }
        expectError(.invalidTree) { try validate(required(.init(credentials: [.x509]))) }
        expectError(.invalidTree) { try validate([Extension(ExtensionType(0xF001), data: [])]) }
        expectError(.malformed) { try validate([Extension(.requiredCapabilities, data: [1])]) }
    }

    @Test func credentialsMustBeSupportedByAll() throws {
        var group = try TestTree(members: 2, crypto: suite(1))
        let entropy = group.entropy
        let both = Capabilities(credentials: [.basic, .x509])
        let stranger = try TestMember(
            "x509", crypto: group.crypto, entropy: entropy, capabilities: both, credential: .x509(chain: [[1], [2]]))
        expectError(.invalidLeafNode) {
            try group.tree.validateLeaf(stranger.leaf, replacing: nil, groupExtensions: [], crypto: group.crypto)
        }
        try group.add(stranger)
        expectError(.invalidTree) {
            try group.tree.validate(groupID: group.groupID, extensions: [], now: nil, crypto: group.crypto)
        }
    }

    @Test func aReplacedLeafNoLongerCounts() throws {
        var group = try TestTree(members: 0, crypto: suite(1))
        let both = Capabilities(credentials: [.basic, .x509])
        func member(_ capabilities: Capabilities, _ credential: Credential? = nil) throws -> TestMember {
            try TestMember(
                "any", crypto: group.crypto, entropy: group.entropy, capabilities: capabilities, credential: credential)
        }
        let wide = try group.add(member(both))
        let narrow = try group.add(member(Capabilities()))
        let certified = try member(both, .x509(chain: [[1]])).leaf
        func validate(_ leaf: LeafNode, replacing index: LeafIndex?) throws {
            try group.tree.validateLeaf(leaf, replacing: index, groupExtensions: [], crypto: group.crypto)
        }
        try validate(certified, replacing: narrow)
        expectError(.invalidLeafNode) { try validate(certified, replacing: wide) }
        expectError(.invalidLeafNode) { try validate(certified, replacing: nil) }
        // Supported by all, but does not support the others.
        try group.remove(narrow)
        let aloof = try member(Capabilities(credentials: [.x509]), .x509(chain: [[1]])).leaf
        try validate(aloof, replacing: wide)
        expectError(.invalidLeafNode) { try validate(aloof, replacing: nil) }
    }

    @Test func aTreeOfTooManyNodesIsRefusedBeforeItIsBuilt() throws {
        var writer = TLSWriter()
        writer.writeOpaque([UInt8](repeating: 0, count: Int(Limits.leaves) * 2))
        expectError(.tooLarge) { try RatchetTree(decoding: writer.bytes) }
    }

    @Test func mutatedTreesNeverTrap() throws {
        var group = try TestTree(members: 3, crypto: suite(1))
        _ = try group.commit(from: LeafIndex(0))
        let valid = group.tree.encoded
        var bytes = valid
        for place in valid.indices {
            for change in [0x01, 0x80] as [UInt8] {
                bytes[place] = valid[place] ^ change
                guard var tree = try? RatchetTree(decoding: bytes) else { continue }
                #expect(tree.encoded == bytes)
                // Every byte of a tree is covered by a signature or a parent hash.
                #expect(throws: MLSError.self, "byte \(place)") {
                    try tree.validate(groupID: group.groupID, extensions: [], now: nil, crypto: group.crypto)
                }
            }
            bytes[place] = valid[place]
        }
        for end in valid.indices { #expect(throws: MLSError.self) { try RatchetTree(decoding: valid[..<end]) } }
    }
}
