/// An update path whose keys are in the tree already, but whose secrets no one else knows yet.
package struct PreparedUpdatePath: Sendable {
    package let committer: LeafIndex
    package let leafNode: LeafNode
    /// What the key schedule takes from the path (RFC 9420 §8).
    package let commitSecret: Secret
    /// The committer's private keys from now on.
    package let privateTree: PrivateTree
    let nodes: [PreparedNode]

    struct PreparedNode: Sendable {
        let step: RatchetTree.PathStep
        let publicKey: [UInt8]
        let pathSecret: PathSecret
    }

    /// What a Welcome tells a new member: the path secret of the lowest node that it shares with the committer
    /// (RFC 9420 §12.4.3.1). Nil for a leaf that is not below the path.
    package func pathSecret(for newLeaf: LeafIndex) -> Secret? {
        nodes.first { newLeaf.node.isInSubtree(of: $0.step.copath) }?.pathSecret.secret
    }
}

/// TreeKEM on the committer's side (RFC 9420 §7.5), in two steps, as sealing needs the tree hash of the finished tree.
extension RatchetTree {
    /// Gives the committer's direct path fresh keys, and its leaf a fresh key, the parent hash and a new signature.
    ///
    /// - Parameters:
    ///   - committer: a member, or the place that ``reserveLeaf()`` gave to a client that joins by external commit.
    ///   - profile: what the new leaf says about its owner.
    /// - Throws: `invalidState` for a leaf outside the tree, `cryptoFailure`. The tree is then unchanged.
    package mutating func prepareUpdatePath(
        from committer: LeafIndex, profile: LeafNode.Profile, groupID: [UInt8], signer: SignaturePrivateKey,
        crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws(MLSError) -> PreparedUpdatePath {
        if !size.contains(committer.node) { throw MLSError(.invalidState, "a path from outside of the tree") }
        let leafKey = try crypto.generateHPKEKey(entropy)
        var secret = PathSecret(secret: entropy.secret(crypto.suite.hashLength))
        var nodes: [PreparedUpdatePath.PreparedNode] = []
        var nodeKeys: [NodeIndex: HPKEPrivateKey] = [:]
        for step in filteredDirectPath(of: committer) {
            let key = try secret.keyPair(crypto: crypto)
            nodes.append(.init(step: step, publicKey: key.publicKey, pathSecret: secret))
            nodeKeys[step.node] = key
            secret = secret.next(crypto: crypto)
        }
        var changed = self
        let parentHash = changed.setPath(
            of: committer, steps: nodes.map(\.step), publicKeys: nodes.map(\.publicKey), crypto: crypto)
        let leafNode = try LeafNode(
            encryptionKey: leafKey.publicKey, profile: profile, source: .commit(parentHash: parentHash),
            placement: .init(groupID: groupID, leafIndex: committer), signer: signer, crypto: crypto)
        changed.set(.leaf(leafNode), at: committer.node)
        self = changed
        return PreparedUpdatePath(
            committer: committer, leafNode: leafNode, commitSecret: secret.secret,
            privateTree: PrivateTree(ownLeaf: committer, leafKey: leafKey, nodeKeys: nodeKeys), nodes: nodes)
    }

    /// Seals the path secrets to the members below the other children.
    ///
    /// - Parameters:
    ///   - groupContext: the encoded provisional group context, with the tree hash of this tree.
    ///   - newLeaves: members added by the same commit, who learn their path secret from the Welcome.
    package func encryptUpdatePath(
        _ prepared: PreparedUpdatePath, groupContext: [UInt8], excluding newLeaves: Set<LeafIndex>,
        crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws(MLSError) -> UpdatePath {
        var parcels: [HPKEParcel] = []
        var ends: [Int] = []
        for node in prepared.nodes {
            for recipient in resolution(of: node.step.copath, excluding: newLeaves) {
                guard let publicKey = self[recipient]?.encryptionKey else { continue }
                parcels.append(HPKEParcel(publicKey: publicKey, plaintext: node.pathSecret.secret))
            }
            ends.append(parcels.count)
        }
        // All at once: every secret of the path is sealed under the same label and context.
        let sealed = try crypto.encryptWithLabel(
            parcels, label: PathSecret.sealLabel, context: groupContext, entropy)
        var nodes: [UpdatePathNode] = []
        var start = 0
        for (node, end) in zip(prepared.nodes, ends) {
            nodes.append(UpdatePathNode(encryptionKey: node.publicKey, encryptedPathSecret: Array(sealed[start..<end])))
            start = end
        }
        return UpdatePath(leafNode: prepared.leafNode, nodes: nodes)
    }

    /// Blanks the direct path, puts new keys on the filtered one, and chains the parent hashes from the root down.
    ///
    /// - Returns: the parent hash for the leaf; empty if the path is.
    mutating func setPath(
        of leaf: LeafIndex, steps: [PathStep], publicKeys: [[UInt8]], crypto: any SuiteCrypto
    ) -> [UInt8] {
        blankDirectPath(of: leaf)
        var hash: [UInt8] = []
        for (step, publicKey) in zip(steps, publicKeys).reversed() {
            let parent = ParentNode(encryptionKey: publicKey, parentHash: hash)
            set(.parent(parent), at: step.node)
            hash = parentHash(of: parent, sibling: step.copath, crypto: crypto)
        }
        return hash
    }
}
