import MLS

/// Adds, Updates and Removes on trees with blank and unmerged leaves.
struct TreeOperationCases {
    struct Case: Encodable {
        let cipher_suite: UInt16
        let tree_before: HexString
        let tree_hash_before: HexString
        let proposal: HexString
        let proposal_sender: UInt32
        let tree_after: HexString
        let tree_hash_after: HexString
    }

    private let crypto: any SuiteCrypto
    private let entropy: VectorEntropy

    init(crypto: any SuiteCrypto) {
        self.crypto = crypto
        entropy = VectorEntropy(seed: "tree-operations", crypto: crypto)
    }

    func make() throws -> [Case] {
        var tree = RatchetTree()
        var signers: [SignaturePrivateKey] = []
        for number in 0..<5 {
            let (signer, keyPackage) = try member("member \(number)")
            signers.append(signer)
            _ = try tree.addLeaf(keyPackage.leafNode)
        }
        try renewPath(of: 0, signers, in: &tree)
        try renewPath(of: 3, signers, in: &tree)
        var cases: [Case] = []
        // At the right end, where there is room, unmerged at the root.
        try cases.append(add("at the end", to: &tree))
        try cases.append(update(1, signers, in: &tree))
        // In the middle: its place stays blank until the next Add takes it.
        try cases.append(apply(.remove(LeafIndex(2)), by: 0, to: &tree))
        try cases.append(add("in the middle", to: &tree))
        try renewPath(of: 4, signers, in: &tree)
        // The right half becomes empty with the second of these.
        try cases.append(apply(.remove(LeafIndex(5)), by: 1, to: &tree))
        try cases.append(apply(.remove(LeafIndex(4)), by: 1, to: &tree))
        // There is no room left.
        try cases.append(add("in a wider tree", to: &tree))
        return cases
    }

    private func member(_ name: String) throws -> (SignaturePrivateKey, KeyPackage) {
        let signer = try crypto.generateSignatureKey(entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(name.utf8)), signer: signer, lifetime: Stage.lifetime,
            sendsGREASE: true, entropy: entropy)
        return (signer, bundle.keyPackage)
    }

    private func renewPath(of index: UInt32, _ signers: [SignaturePrivateKey], in tree: inout RatchetTree) throws {
        let leaf = LeafIndex(index)
        guard let profile = tree[leaf]?.profile else { throw MLSError(.invalidState, "\(leaf) is blank") }
        _ = try tree.prepareUpdatePath(
            from: leaf, profile: profile, groupID: [], signer: signers[Int(index)], crypto: crypto, entropy: entropy)
    }

    private func add(_ name: String, to tree: inout RatchetTree) throws -> Case {
        try apply(.add(try member(name).1), by: 0, to: &tree)
    }

    private func update(_ index: UInt32, _ signers: [SignaturePrivateKey], in tree: inout RatchetTree) throws -> Case {
        let place = LeafIndex(index)
        guard let profile = tree[place]?.profile else { throw MLSError(.invalidState, "\(place) is blank") }
        let leaf = try LeafNode(
            encryptionKey: try crypto.generateHPKEKey(entropy).publicKey, profile: profile, source: .update,
            placement: .init(groupID: [], leafIndex: place), signer: signers[Int(index)], crypto: crypto)
        return try apply(.update(leaf), by: index, to: &tree)
    }

    private func apply(_ proposal: Proposal, by sender: UInt32, to tree: inout RatchetTree) throws -> Case {
        let (before, hashBefore) = (tree.encoded, tree.treeHash(crypto: crypto))
        switch proposal {
        case .add(let keyPackage): _ = try tree.addLeaf(keyPackage.leafNode)
        case .update(let leaf): try tree.updateLeaf(leaf, at: LeafIndex(sender))
        case .remove(let index): try tree.removeLeaf(index)
        case .preSharedKey, .reInit, .externalInit, .groupContextExtensions: break
        }
        return Case(
            cipher_suite: crypto.suite.rawValue, tree_before: HexString(before),
            tree_hash_before: HexString(hashBefore), proposal: HexString(proposal.encoded), proposal_sender: sender,
            tree_after: HexString(tree.encoded), tree_hash_after: HexString(tree.treeHash(crypto: crypto)))
    }
}
