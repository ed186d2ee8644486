import MLS

/// A client with keys of its own, for tests of trees.
struct TestMember {
    let name: String
    let signer: SignaturePrivateKey
    let bundle: KeyPackageBundle

    static let lifetime = Lifetime(notBefore: 1_000, notAfter: 2_000)

    init(
        _ name: String, crypto: any SuiteCrypto, entropy: any EntropySource,
        capabilities: Capabilities = Capabilities(), credential: Credential? = nil
    ) throws {
        self.name = name
        signer = try crypto.generateSignatureKey(entropy)
        bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: credential ?? .basic(identity: Array(name.utf8)), signer: signer,
            lifetime: Self.lifetime, capabilities: capabilities, entropy: entropy)
    }

    var leaf: LeafNode { bundle.keyPackage.leafNode }
}

/// A group as far as the tree goes: all members' private keys, and commits that everyone follows.
struct TestTree {
    let crypto: any SuiteCrypto
    let entropy: SeededEntropy
    let groupID: [UInt8] = [1, 2, 3]
    let context: [UInt8] = [4, 5, 6]
    var tree = RatchetTree()
    var members: [LeafIndex: TestMember] = [:]
    var privateTrees: [LeafIndex: PrivateTree] = [:]

    /// A tree of members whose parents are all blank.
    init(members count: Int, crypto: any SuiteCrypto, seed: UInt64 = 1) throws {
        self.crypto = crypto
        entropy = SeededEntropy(seed: seed)
        for number in 0..<count { try add(TestMember("member \(number)", crypto: crypto, entropy: entropy)) }
    }

    @discardableResult
    mutating func add(_ member: TestMember) throws -> LeafIndex {
        let index = try tree.addLeaf(member.leaf)
        members[index] = member
        privateTrees[index] = PrivateTree(ownLeaf: index, leafKey: member.bundle.encryptionKey)
        return index
    }

    mutating func remove(_ index: LeafIndex) throws {
        try tree.removeLeaf(index)
        members[index] = nil
        privateTrees[index] = nil
        for leaf in privateTrees.keys { privateTrees[leaf]?.prune(to: tree) }
    }

    /// A path made by one member, with the tree after it.
    func makePath(from committer: LeafIndex, excluding newLeaves: Set<LeafIndex> = []) throws
        -> (path: UpdatePath, prepared: PreparedUpdatePath, tree: RatchetTree)
    {
        guard let member = members[committer] else { throw MLSError(.invalidState, "\(committer) is not a member") }
        var after = tree
        let prepared = try after.prepareUpdatePath(
            from: committer, profile: member.leaf.profile, groupID: groupID, signer: member.signer, crypto: crypto,
            entropy: entropy)
        let path = try after.encryptUpdatePath(
            prepared, groupContext: context, excluding: newLeaves, crypto: crypto, entropy: entropy)
        return (path, prepared, after)
    }

    /// One member commits a path and all others follow; new members start from their path secret.
    ///
    /// - Returns: the commit secret of each member.
    mutating func commit(from committer: LeafIndex, adding newLeaves: Set<LeafIndex> = []) throws -> [Secret] {
        let (path, prepared, after) = try makePath(from: committer, excluding: newLeaves)
        try tree.applyUpdatePath(path, from: committer, groupID: groupID, groupExtensions: [], crypto: crypto)
        guard tree.encoded == after.encoded else { throw MLSError(.invalidTree, "committer and receivers differ") }
        var secrets = [prepared.commitSecret]
        for (index, privateTree) in privateTrees {
            if index == committer {
                privateTrees[index] = prepared.privateTree
            } else if newLeaves.contains(index) {
                privateTrees[index] = try PrivateTree(
                    ownLeaf: index, leafKey: privateTree.leafKey, pathSecret: prepared.pathSecret(for: index),
                    from: committer, in: tree, crypto: crypto)
            } else {
                let received = try tree.decryptUpdatePath(
                    path, from: committer, with: privateTree, groupContext: context, excluding: newLeaves,
                    crypto: crypto)
                privateTrees[index] = received.privateTree
                secrets.append(received.commitSecret)
            }
        }
        return secrets
    }
}
