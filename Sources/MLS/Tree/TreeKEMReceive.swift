/// TreeKEM on the receiver's side (RFC 9420 §7.5), in two steps, as opening needs the tree hash of the finished tree.
extension RatchetTree {
    /// Checks the public part of an update path and writes it into the tree.
    ///
    /// - Parameters:
    ///   - committer: a member, or the place that ``reserveLeaf()`` gave to a client that joins by external commit.
    ///   - groupExtensions: those of the provisional group context.
    /// - Throws: `invalidCommit`, `invalidLeafNode`, `invalidKey`, `invalidSignature`. The tree is then unchanged.
    package mutating func applyUpdatePath(
        _ path: UpdatePath, from committer: LeafIndex, groupID: [UInt8], groupExtensions: [Extension],
        crypto: any SuiteCrypto
    ) throws(MLSError) {
        if !size.contains(committer.node) { throw MLSError(.invalidCommit, "a path from outside of the tree") }
        guard case .commit(let parentHash) = path.leafNode.source else {
            throw MLSError(.invalidLeafNode, "the leaf node of a path comes from elsewhere")
        }
        let steps = filteredDirectPath(of: committer)
        if steps.count != path.nodes.count {
            throw MLSError(.invalidCommit, "a path of \(path.nodes.count) nodes where \(steps.count) belong")
        }
        try validateLeaf(path.leafNode, replacing: committer, groupExtensions: groupExtensions, crypto: crypto)
        try validateKeys(of: path, crypto: crypto)

        var changed = self
        let expected = changed.setPath(
            of: committer, steps: steps, publicKeys: path.nodes.map(\.encryptionKey), crypto: crypto)
        if parentHash != expected { throw MLSError(.invalidCommit, "the parent hash of a path's leaf node") }
        // The most expensive check comes last.
        try path.leafNode.verifySignature(
            placement: .init(groupID: groupID, leafIndex: committer), crypto: crypto)
        changed.set(.leaf(path.leafNode), at: committer.node)
        self = changed
    }

    /// Opens the path secret that is meant for us, in the tree that
    /// ``applyUpdatePath(_:from:groupID:groupExtensions:crypto:)`` has left.
    ///
    /// - Parameters:
    ///   - groupContext: the encoded provisional group context, with the tree hash of this tree.
    ///   - newLeaves: members added by the same commit, to whom nothing is sealed.
    /// - Returns: the commit secret, and our private keys from now on.
    /// - Throws: `invalidCommit` if the path does not fit the tree, which every member sees; `decryptionFailed` if
    ///   there is no secret for us, it does not open, or it does not lead to its public key, which others may not see.
    package func decryptUpdatePath(
        _ path: UpdatePath, from committer: LeafIndex, with privateTree: PrivateTree, groupContext: [UInt8],
        excluding newLeaves: Set<LeafIndex>, crypto: any SuiteCrypto
    ) throws(MLSError) -> (commitSecret: Secret, privateTree: PrivateTree) {
        let steps = filteredDirectPath(of: committer)
        if steps.count != path.nodes.count {
            throw MLSError(.invalidCommit, "a path of \(path.nodes.count) nodes where \(steps.count) belong")
        }
        let own = privateTree.ownLeaf.node
        var start: (position: Int, recipients: [NodeIndex])?
        for (position, step) in steps.enumerated() {
            let recipients = resolution(of: step.copath, excluding: newLeaves)
            if recipients.count != path.nodes[position].encryptedPathSecret.count {
                throw MLSError(.invalidCommit, "a path does not seal to all and only those below \(step.copath)")
            }
            if own.isInSubtree(of: step.copath) { start = (position, recipients) }
        }
        guard let start else { throw MLSError(.invalidCommit, "a path that does not reach us") }
        let secret = try openPathSecret(
            path.nodes[start.position], recipients: start.recipients, with: privateTree, groupContext: groupContext,
            crypto: crypto)
        return try derive(
            from: secret, along: zip(steps, path.nodes).dropFirst(start.position), privateTree: privateTree,
            crypto: crypto)
    }

    /// Checks that new keys are valid, differ from each other, and are nowhere in the tree (RFC 9420 §12.4.2).
    private func validateKeys(of path: UpdatePath, crypto: any SuiteCrypto) throws(MLSError) {
        var seen: Set<[UInt8]> = [path.leafNode.encryptionKey]
        for node in path.nodes {
            if !seen.insert(node.encryptionKey).inserted || contains(encryptionKey: node.encryptionKey) {
                throw MLSError(.invalidCommit, "a path brings a key that is in use")
            }
            if !crypto.isValidHPKEPublicKey(node.encryptionKey) {
                throw MLSError(.invalidKey, "the encryption key of a path's node")
            }
        }
    }

    private func openPathSecret(
        _ node: UpdatePathNode, recipients: [NodeIndex], with privateTree: PrivateTree, groupContext: [UInt8],
        crypto: any SuiteCrypto
    ) throws(MLSError) -> PathSecret {
        for (recipient, sealed) in zip(recipients, node.encryptedPathSecret) {
            guard let key = privateTree.key(for: recipient, in: self) else { continue }
            return PathSecret(
                secret: try crypto.decryptWithLabel(
                    sealed, with: key, label: PathSecret.sealLabel, context: groupContext))
        }
        throw MLSError(.decryptionFailed, "a path that is sealed to none of our keys")
    }

    private func derive(
        from first: PathSecret, along path: some Sequence<(PathStep, UpdatePathNode)>, privateTree: PrivateTree,
        crypto: any SuiteCrypto
    ) throws(MLSError) -> (commitSecret: Secret, privateTree: PrivateTree) {
        var privateTree = privateTree
        var secret = first
        for (step, node) in path {
            let key = try secret.keyPair(crypto: crypto)
            if key.publicKey != node.encryptionKey {
                throw MLSError(.decryptionFailed, "a path secret does not lead to the key of \(step.node)")
            }
            privateTree.setNodeKey(key, at: step.node)
            secret = secret.next(crypto: crypto)
        }
        privateTree.prune(to: self)
        return (secret.secret, privateTree)
    }
}
