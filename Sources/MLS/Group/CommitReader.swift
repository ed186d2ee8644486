/// Computes the result of a received commit (RFC 9420 §12.4.2). Its signature has been verified.
struct CommitReader {
    let group: Group
    let message: [UInt8]
    let content: AuthenticatedContent
    let commit: Commit
    /// The commit's proposals, those by reference looked up.
    let proposals: [ProposalList.Entry]
    /// Nil for an external commit.
    let committer: LeafIndex?
    let psks: [PreSharedKey]
    let now: UInt64?
    /// The key its message was sealed with; nil for a PublicMessage.
    let sealedWith: (id: SecretTree.RatchetID, generation: UInt32)?

    private var crypto: any SuiteCrypto { group.crypto }

    func stage() throws(MLSError) -> StagedCommit {
        guard let confirmationTag = content.auth.confirmationTag else {
            throw MLSError(.malformed, "a commit without a confirmation tag")
        }
        for entry in proposals where group.configuration.refusedProposals.contains(entry.proposal.type) {
            throw MLSError(.invalidProposal, "a commit holds a \(entry.proposal.type), which is not wanted here")
        }
        let list = try ProposalList(proposals, committer: committer, crypto: crypto)
        if list.requiresPath && commit.path == nil { throw MLSError(.invalidCommit, "a commit without its path") }
        var applied = try AppliedProposals(
            list, to: group.current.tree, context: group.current.context, crypto: crypto, now: now)
        if !group.configuration.allowsCredentialChange {
            try list.checkCredentials(in: group.current.tree, committer: committer, pathLeaf: commit.path?.leafNode)
        }
        let author = try applyPath(to: &applied, list: list)
        try applied.checkMembers(
            extensionsChanged: list.extensions != nil, own: group.ownLeaf, author: isNew(author) ? author : nil,
            configuration: group.configuration, crypto: crypto)
        try authenticate(list, applied, author: author)

        // The leaf alone does not tell: the author of an external commit may have taken the place it made us leave.
        let selfRemoved = list.removes.contains(group.ownLeaf)
        var next: Group?
        if !selfRemoved {
            let state = try nextState(applied, list: list, author: author)
            if !constantTimeEqual(state.confirmationTag, confirmationTag) {
                throw MLSError(.invalidTag, "the confirmation tag of a commit")
            }
            next = Group(
                configuration: group.configuration, crypto: crypto, current: state, successor: list.reInit)
        }
        guard let leaf = applied.tree[author] else { throw MLSError(.invalidCommit, "the committer has no leaf") }
        var staged = StagedCommit(
            message: message, welcome: nil, groupInfo: nil, groupID: group.groupID, baseEpoch: group.epoch, next: next,
            committer: Member(leaf, at: author),
            changes: applied.changes(
                list, committer: author, isExternal: committer == nil, hasPath: commit.path != nil,
                selfRemoved: selfRemoved),
            authenticatedData: content.content.authenticatedData, confirmationTag: confirmationTag,
            baseTranscript: group.current.interimTranscriptHash, sealedWith: sealedWith)
        let adds = proposals.filter { if case .add = $0.proposal { true } else { false } }
        for (entry, added) in zip(adds, applied.added) {
            if let proposer = entry.sender.member, proposer != committer { staged.proposers[added.index] = proposer }
        }
        return staged
    }

    /// Whether the author joins by this commit, or under another name.
    private func isNew(_ author: LeafIndex) -> Bool {
        guard committer != nil else { return true }
        guard let leaf = commit.path?.leafNode else { return false }
        return leaf.credential != group.current.tree[author]?.credential
    }

    /// - Throws: `credentialRefused`.
    private func authenticate(
        _ list: ProposalList, _ applied: AppliedProposals, author: LeafIndex
    ) throws(MLSError) {
        let before = group.current.tree
        let authentication = Authentication(group.configuration, context: group.current.context)
        try authentication.check(list, applied, before: before)
        guard let leaf = commit.path?.leafNode else { return }
        try authentication.check(
            leaf, at: author, source: committer == nil ? .externalCommit : .commit,
            replacing: (committer ?? list.removes.first).flatMap { before[$0] })
    }

    /// Puts the public half of the path into the tree.
    ///
    /// - Returns: the committer's leaf, which an external commit has just taken.
    private func applyPath(to applied: inout AppliedProposals, list: ProposalList) throws(MLSError) -> LeafIndex {
        let author = if let committer { committer } else { try applied.tree.reserveLeaf() }
        guard let path = commit.path else {
            try applied.tree.checkLength()
            return author
        }
        try group.configuration.checkLength(of: path.leafNode)
        // A client that replaces its older self brings a new key, as in an Update (RFC 9420 §12.2).
        if committer == nil, let replaced = list.removes.first,
            group.current.tree[replaced]?.encryptionKey == path.leafNode.encryptionKey
        {
            throw MLSError(.invalidLeafNode, "an external commit with the encryption key of the leaf it removes")
        }
        try applied.tree.applyUpdatePath(
            path, from: author, groupID: group.groupID, groupExtensions: applied.context.extensions, crypto: crypto)
        try applied.tree.checkLength()
        return author
    }

    private func nextState(
        _ applied: AppliedProposals, list: ProposalList, author: LeafIndex
    ) throws(MLSError) -> EpochState {
        let own = try group.ownSecrets()
        var tree = applied.tree
        var context = applied.context
        context.treeHash = tree.treeHash(crypto: crypto)
        var privateTree = own.privateTree
        if let update = list.updates.first(where: { $0.index == group.ownLeaf }) {
            guard let key = update.key else { throw MLSError(.invalidProposal, "an own Update without its key") }
            privateTree.replaceLeafKey(key)
        }
        privateTree.prune(to: tree)
        var commitSecret = crypto.zeroSecret
        if let path = commit.path {
            (commitSecret, privateTree) = try tree.decryptUpdatePath(
                path, from: author, with: privateTree, groupContext: context.encoded,
                excluding: Set(applied.added.map(\.index)), crypto: crypto)
        }
        context.confirmedTranscriptHash = TranscriptHash.confirmed(
            interim: group.current.interimTranscriptHash, commit: content, crypto: crypto)
        let transition = EpochTransition(
            initSecret: try initSecret(list, own: own), commitSecret: commitSecret,
            pskSecret: try PSKSecret.combine(try group.resolve(list.psks, given: psks), crypto: crypto),
            context: context, crypto: crypto)
        return transition.state(tree: tree, privateTree: privateTree, crypto: crypto)
    }

    private func initSecret(_ list: ProposalList, own: EpochState.OwnSecrets) throws(MLSError) -> Secret {
        guard let kemOutput = list.externalInit else { return own.epoch.initSecret }
        return try KeySchedule.receiveExternalInit(
            kemOutput: kemOutput, externalKey: try own.epoch.externalKey(crypto: crypto), crypto: crypto)
    }
}

extension AppliedProposals {
    /// What the commit does, for people. The tree has the commit's path.
    func changes(
        _ list: ProposalList, committer: LeafIndex, isExternal: Bool, hasPath: Bool, selfRemoved: Bool
    ) -> CommitChanges {
        var changes = CommitChanges()
        var newMembers = added.map(\.index)
        var updated = list.updates.map(\.index)
        if isExternal {
            newMembers.append(committer)
        } else if hasPath {
            updated.append(committer)
        }
        changes.added = newMembers.compactMap { index in tree[index].map { Member($0, at: index) } }
        changes.updated = updated.compactMap { index in tree[index].map { Member($0, at: index) } }
        changes.removed = removed
        changes.pathUpdated = hasPath
        changes.external = isExternal
        changes.selfRemoved = selfRemoved
        changes.extensions = list.extensions
        changes.reInit = list.reInit
        changes.pskCount = list.psks.count
        return changes
    }
}
