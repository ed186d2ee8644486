/// A tree and context with a commit's proposals applied, but not yet its path (RFC 9420 §12.3).
struct AppliedProposals: Sendable {
    var tree: RatchetTree
    /// The context of the next epoch, except its tree hash and transcript hash.
    var context: GroupContext
    var added: [(index: LeafIndex, keyPackage: KeyPackage)] = []
    /// The members that are gone, as they were.
    var removed: [Member] = []
    /// Leaves with a new LeafNode.
    var changedLeaves: Set<LeafIndex> = []
    /// Leaves below nodes that are blank now, whose private keys nobody may keep.
    var blankedLeaves: [LeafIndex] = []

    /// - Parameter now: Unix seconds for the lifetimes of added key packages; nil leaves them unchecked.
    /// - Throws: `invalidProposal`, `invalidKeyPackage`, `invalidLeafNode`, `invalidSignature`, `expired`, `unsupported`, `tooLarge`.
    init(
        _ list: ProposalList, to tree: RatchetTree, context: GroupContext, crypto: any SuiteCrypto, now: UInt64?
    ) throws(MLSError) {
        self.tree = tree
        self.context = context
        if context.epoch == .max { throw MLSError(.invalidState, "the group has used up its epochs") }
        self.context.epoch += 1
        if let extensions = list.extensions { self.context.extensions = extensions }
        for update in list.updates { try apply(update, crypto: crypto) }
        for index in list.removes { try remove(index) }
        for keyPackage in list.adds { try add(keyPackage, crypto: crypto, now: now) }
    }

    private mutating func apply(_ update: ProposalList.Update, crypto: any SuiteCrypto) throws(MLSError) {
        guard let old = tree[update.index] else {
            throw MLSError(.invalidProposal, "an Update of \(update.index), which is blank")
        }
        guard case .update = update.leaf.source else {
            throw MLSError(.invalidLeafNode, "the leaf node of an Update has another source")
        }
        if old.encryptionKey == update.leaf.encryptionKey {
            throw MLSError(.invalidLeafNode, "an Update with the old encryption key")
        }
        try update.leaf.verifySignature(
            placement: .init(groupID: context.groupID, leafIndex: update.index), crypto: crypto)
        try tree.updateLeaf(update.leaf, at: update.index)
        changedLeaves.insert(update.index)
        blankedLeaves.append(update.index)
    }

    private mutating func remove(_ index: LeafIndex) throws(MLSError) {
        guard let leaf = tree[index] else { throw MLSError(.invalidProposal, "a Remove of \(index), which is blank") }
        removed.append(Member(leaf, at: index))
        try tree.removeLeaf(index)
        blankedLeaves.append(index)
    }

    private mutating func add(_ keyPackage: KeyPackage, crypto: any SuiteCrypto, now: UInt64?) throws(MLSError) {
        try keyPackage.validate(crypto: crypto, now: now)
        let index = try tree.addLeaf(keyPackage.leafNode)
        added.append((index, keyPackage))
        changedLeaves.insert(index)
    }

    /// Checks that every changed leaf fits the group, and the group every changed leaf (RFC 9420 §7.3).
    ///
    /// - Throws: `invalidLeafNode`.
    func checkMembers(extensionsChanged: Bool) throws(MLSError) {
        try MemberRules(context: context).check(tree, changed: changedLeaves, checkAll: extensionsChanged)
    }
}
