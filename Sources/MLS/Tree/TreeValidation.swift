/// What a new member checks before it trusts a tree (RFC 9420 §12.4.3.1), apart from the tree hash.
extension RatchetTree {
    /// Checks the whole tree: unmerged leaves, unique keys, parent hashes, then every leaf node with its signature.
    ///
    /// The cheap checks come first. It computes all tree hashes, which stay cached.
    ///
    /// - Parameters:
    ///   - extensions: those of the group context.
    ///   - now: when given, a leaf node beyond its lifetime is refused, too.
    /// - Throws: `invalidTree`, `invalidLeafNode`, `invalidKey`, `invalidSignature`, `expired`.
    package mutating func validate(
        groupID: [UInt8], extensions: [Extension], now: UInt64?, crypto: any SuiteCrypto
    ) throws(MLSError) {
        if encryptionKeys.repeated > 0 { throw MLSError(.invalidTree, "an encryption key occurs twice in a tree") }
        if signatureKeys.repeated > 0 { throw MLSError(.invalidTree, "a signature key occurs twice in a tree") }
        if !tally.credentialTypesInUse.allSatisfy(tally.allSupport) {
            throw MLSError(.invalidTree, "not all members support the credential types of all members")
        }
        if try !allSupport(groupExtensions: extensions) {
            throw MLSError(.invalidTree, "not all members support the group's extensions and requirements")
        }
        try validateUnmergedLeaves()
        try validateParentKeys(crypto: crypto)
        try validateParentHashes(crypto: crypto)
        for (_, leaf) in members {
            try leaf.validateContent(crypto: crypto)
            if let now { try leaf.checkLifetime(now: now) }
        }
        try validateSignatures(groupID: groupID, crypto: crypto)
    }

    /// In portions, because what was signed takes memory.
    private func validateSignatures(groupID: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        let portion = 2048
        var claims: [SignatureClaim] = []
        claims.reserveCapacity(min(portion, memberCount))
        for (index, leaf) in members {
            claims.append(
                try leaf.signatureClaim(placement: .init(groupID: groupID, leafIndex: index), crypto: crypto))
            if claims.count == portion {
                try Self.verify(claims, crypto: crypto)
                claims.removeAll(keepingCapacity: true)
            }
        }
        try Self.verify(claims, crypto: crypto)
    }

    private static func verify(_ claims: [SignatureClaim], crypto: any SuiteCrypto) throws(MLSError) {
        if crypto.firstInvalid(claims) != nil {
            throw MLSError(.invalidSignature, "the signature of a leaf node")
        }
    }

    private var parents: some Sequence<(NodeIndex, ParentNode)> {
        stride(from: 1, to: size.nodeCount, by: 2).lazy.compactMap { value in
            let index = NodeIndex(value)
            return parentNode(index).map { (index, $0) }
        }
    }

    private func validateParentKeys(crypto: any SuiteCrypto) throws(MLSError) {
        for (index, parent) in parents where !crypto.isValidHPKEPublicKey(parent.encryptionKey) {
            throw MLSError(.invalidKey, "the encryption key of \(index)")
        }
    }

    /// Each unmerged leaf is a member below its node, and unmerged at every node in between.
    private func validateUnmergedLeaves() throws(MLSError) {
        for (index, parent) in parents {
            for leaf in parent.unmergedLeaves {
                if self[leaf] == nil || !leaf.node.isInSubtree(of: index) {
                    throw MLSError(.invalidTree, "an unmerged leaf of \(index) is not a member below it")
                }
                // The next node down is enough: its own unmerged leaves are checked in turn.
                if let below = nextParent(below: index, toward: leaf), !below.unmergedLeaves.containsSorted(leaf) {
                    throw MLSError(.invalidTree, "\(leaf) is unmerged at \(index), but not below it")
                }
            }
        }
    }

    private func nextParent(below index: NodeIndex, toward leaf: LeafIndex) -> ParentNode? {
        var current = index
        while let child = current.child(toward: leaf.node), !child.isLeaf {
            if let parent = parentNode(child) { return parent }
            current = child
        }
        return nil
    }

    /// Each parent's hash is found in exactly one node below (RFC 9420 §7.9.2, top down).
    private mutating func validateParentHashes(crypto: any SuiteCrypto) throws(MLSError) {
        if let root = size.root, parentNode(root)?.parentHash.isEmpty == false {
            throw MLSError(.invalidTree, "the root has a parent hash")
        }
        for value in stride(from: UInt32(1), to: size.nodeCount, by: 2) {
            let index = NodeIndex(value)
            guard let parent = parentNode(index), let left = index.left, let right = index.right else { continue }
            let fromLeft = isLinked(parent, through: left, sibling: right, crypto: crypto)
            let fromRight = isLinked(parent, through: right, sibling: left, crypto: crypto)
            if fromLeft == fromRight { throw MLSError(.invalidTree, "\(index) is not parent-hash valid") }
        }
    }

    /// Whether a node below `child` has this parent's hash, and stands for all that were below `child` when the hash
    /// was made.
    private mutating func isLinked(
        _ parent: ParentNode, through child: NodeIndex, sibling: NodeIndex, crypto: any SuiteCrypto
    ) -> Bool {
        // Nearly always: the child stands for all below it, and everyone is merged.
        if parent.unmergedLeaves.isEmpty, let node = self[child], node.isMerged {
            return parentHash(in: child).map { $0 == parentHash(of: parent, sibling: sibling, crypto: crypto) } ?? false
        }
        let unmerged = Set(parent.unmergedLeaves.lazy.map(\.node).filter { $0.isInSubtree(of: child) })
        let resolution = resolution(of: child)
        let merged = resolution.filter { !unmerged.contains($0) }
        guard merged.count == 1, resolution.count == unmerged.count + 1, let claimed = parentHash(in: merged[0])
        else { return false }
        return claimed == parentHash(of: parent, sibling: sibling, crypto: crypto)
    }

    /// The parent hash that a node carries; nil for a leaf that was not set by a commit.
    private func parentHash(in index: NodeIndex) -> [UInt8]? {
        switch self[index] {
        case .parent(let parent): return parent.parentHash
        case .leaf(let leaf):
            if case .commit(let parentHash) = leaf.source { return parentHash }
            return nil
        case nil: return nil
        }
    }
}

extension Node {
    /// Whether no leaf below is unmerged.
    fileprivate var isMerged: Bool {
        if case .parent(let parent) = self { parent.unmergedLeaves.isEmpty } else { true }
    }
}

extension RandomAccessCollection where Element: Comparable {
    /// Whether an element is in a collection that ascends.
    func containsSorted(_ element: Element) -> Bool {
        let index = partitioningIndex { $0 >= element }
        return index != endIndex && self[index] == element
    }
}
