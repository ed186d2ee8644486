/// A tree and context with a commit's proposals applied, but not yet its path (RFC 9420 §12.3).
struct AppliedProposals: Sendable {
    var tree: RatchetTree
    /// The context of the next epoch, except its tree hash and transcript hash.
    var context: GroupContext
    var added: [(index: LeafIndex, keyPackage: KeyPackage)] = []
    /// The members that are gone, as they were.
    var removed: [Member] = []
    /// Leaves that a proposal has given a new LeafNode.
    private var changedLeaves: Set<LeafIndex> = []

    /// - Parameter now: Unix seconds for the lifetimes of added key packages; nil leaves them unchecked.
    /// - Throws: `invalidProposal`, `invalidKeyPackage`, `invalidLeafNode`, `invalidSignature`, `expired`,
    ///   `unsupported`, `tooLarge`.
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
    }

    private mutating func remove(_ index: LeafIndex) throws(MLSError) {
        guard let leaf = tree[index] else { throw MLSError(.invalidProposal, "a Remove of \(index), which is blank") }
        removed.append(Member(leaf, at: index))
        try tree.removeLeaf(index)
    }

    private mutating func add(_ keyPackage: KeyPackage, crypto: any SuiteCrypto, now: UInt64?) throws(MLSError) {
        try keyPackage.validate(crypto: crypto, now: now)
        let index = try tree.addLeaf(keyPackage.leafNode)
        added.append((index, keyPackage))
        changedLeaves.insert(index)
    }

    /// Checks that every changed leaf supports what the group needs, and the other way round (RFC 9420 §7.3).
    ///
    /// Only the resulting tree counts: a Remove makes room for an Add of the same client.
    /// - Parameters:
    ///   - own: this member's leaf, if it is in the group already.
    ///   - author: of the commit, if its leaf in the tree belongs to another client than before.
    /// - Throws: `invalidLeafNode`, `invalidProposal`, `invalidKey`, `tooLarge`.
    func checkMembers(
        extensionsChanged: Bool, own: LeafIndex?, author: LeafIndex? = nil, configuration: GroupConfiguration,
        crypto: any SuiteCrypto
    ) throws(MLSError) {
        for index in changedLeaves {
            guard let leaf = tree[index] else { continue }
            try configuration.checkLength(of: leaf)
            try configuration.checkLifetime(of: leaf)
            try leaf.validateContent(crypto: crypto)
            try leaf.checkSupport(groupExtensions: context.extensions)
        }
        if extensionsChanged, try !tree.allSupport(groupExtensions: context.extensions) {
            throw MLSError(.invalidProposal, "not all members support the new extensions")
        }
        if extensionsChanged, let own = own.flatMap({ tree[$0] }) {
            try own.capabilities.checkOwnSupport(groupExtensions: context.extensions, orThrow: .invalidProposal)
        }
        if tree.encryptionKeys.repeated > 0 { throw MLSError(.invalidLeafNode, "an encryption key occurs twice") }
        if tree.signatureKeys.repeated > 0 { throw MLSError(.invalidLeafNode, "a signature key occurs twice") }
        if !tree.tally.credentialTypesInUse.allSatisfy(tree.tally.allSupport) {
            throw MLSError(.invalidLeafNode, "not all members support the credential types of all members")
        }
        if configuration.authentication.admitsEachClientOnce {
            try checkClients(author: author, service: configuration.authentication)
        }
    }

    /// No one joins who is there already, by the application's identifiers of clients (RFC 9420 §12.2).
    private func checkClients(author: LeafIndex?, service: any AuthenticationService) throws(MLSError) {
        var leaves = changedLeaves
        if let author { leaves.insert(author) }
        if leaves.isEmpty { return }
        let clients = tree.members.map { service.clientIdentifier(of: $0.1.credential) }.counted
        for index in leaves {
            guard let leaf = tree[index] else { continue }
            if clients[service.clientIdentifier(of: leaf.credential), default: 0] > 1 {
                throw MLSError(.invalidProposal, "the client at \(index) is in the group twice")
            }
        }
    }
}

extension Sequence where Element: Hashable {
    /// How often each element occurs.
    var counted: [Element: Int] { reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
