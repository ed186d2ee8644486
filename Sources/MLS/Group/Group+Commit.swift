extension Group {
    /// Makes a commit of the given proposals without applying it: the group stays in its epoch.
    ///
    /// With ``GroupConfiguration/handshakeEncryption`` the commit uses up this member's next handshake key, so that no
    /// other message is sealed with it: the group must then be stored before the commit leaves the machine. Otherwise
    /// nothing changes, except that pending proposals which no commit can ever include are dropped from those that
    /// wait.
    /// - Parameters:
    ///   - proposals: made by this very commit.
    ///   - includePending: whether the valid proposals among ``pendingProposals`` are committed, too; PSKs only if
    ///     their secret is known.
    ///   - forcePath: whether the commit renews this member's keys even if it need not.
    ///   - inlineTree: whether the GroupInfo and the Welcome carry the ratchet tree.
    ///   - withGroupInfo: whether to make ``StagedCommit/groupInfo``, too. It costs a signature over the whole tree; if
    ///     it is needed only now and then, ask the group for it once the commit is merged. Without it, a Welcome brings
    ///     no external_pub either.
    ///   - profile: what this member's new leaf says about it; as before when nil. With another credential, all members
    ///     need ``GroupConfiguration/allowsCredentialChange``. Like `newSigner` it makes the commit renew this member's
    ///     keys.
    ///   - newSigner: the key of this member's new leaf, which signs from the next epoch on; the present one when nil.
    ///   - psks: the secrets of PSK proposals; resumption secrets of this group's window need not be given.
    ///   - signer: the key of the present leaf, which signs the commit.
    ///   - now: Unix seconds; the lifetimes of added key packages are checked against it.
    /// - Throws: `invalidProposal`, `invalidKeyPackage`, `invalidLeafNode`, `expired`, `credentialRefused`,
    ///   `unknownReference`, `removed`, `invalidState`, `tooLarge`.
    public mutating func commit(
        _ proposals: [Proposal], includePending: Bool = true, forcePath: Bool = true,
        authenticatedData: [UInt8] = [], inlineTree: Bool = true, withGroupInfo: Bool = true,
        profile: LeafNode.Profile? = nil, newSigner: SignaturePrivateKey? = nil, psks: [PreSharedKey] = [],
        signer: SignaturePrivateKey, now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit {
        try commit(
            CommitRequest(
                proposals: proposals, includePending: includePending, forcePath: forcePath,
                authenticatedData: authenticatedData, inlineTree: inlineTree, psks: psks, now: now,
                withGroupInfo: withGroupInfo, profile: profile, newSigner: newSigner),
            signer: signer, entropy: entropy)
    }

    mutating func commit(
        _ request: CommitRequest, signer: SignaturePrivateKey, entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit {
        let (leaf, own) = try sendingLeaf(signer: signer)
        try checkLength(request.authenticatedData)
        let selection = try ProposalSelection(request, in: self)
        for record in proposals.setAside(selection.unsound) { journal.touch(record) }
        let list = selection.list
        var applied = selection.applied
        let draft = CommitDraft(
            listed: selection.listed, baseContext: current.context, baseTranscript: current.interimTranscriptHash,
            sender: .member(ownLeaf), authenticatedData: request.authenticatedData, crypto: crypto, entropy: entropy)
        var path: CommitDraft.Path?
        let nextSigner = request.newSigner ?? signer
        if list.requiresPath || request.forcePath || request.changesLeaf {
            path = try draft.makePath(
                in: &applied, from: ownLeaf, profile: newProfile(request.profile, of: leaf, entropy: entropy),
                signer: nextSigner)
        }
        if request.changesLeaf, let changed = path?.prepared.leafNode {
            try changed.validateContent(crypto: crypto)
            try changed.checkSupport(groupExtensions: applied.context.extensions)
            try applied.checkMembers(
                extensionsChanged: list.extensions != nil, own: ownLeaf,
                author: changed.credential == leaf.credential ? nil : ownLeaf, configuration: configuration,
                crypto: crypto)
            try check(ownChange: changed, of: leaf, source: .commit)
        }
        let finished = try draft.finish(
            applied, path: path, privateTree: own.privateTree, initSecret: own.epoch.initSecret,
            psks: resolve(list.psks, given: request.psks), as: handshakeFormat, signer: signer)

        let next = Group(
            configuration: configuration, crypto: crypto, current: finished.state, successor: list.reInit)
        var info: GroupInfo?
        if request.withGroupInfo || !applied.added.isEmpty {
            info = try next.makeGroupInfo(
                signer: nextSigner, inlineTree: request.inlineTree, externalPub: request.withGroupInfo,
                entropy: entropy)
        }
        let welcome = try draft.welcome(applied, path: path, psks: list.psks, finished: finished, groupInfo: info)
        let (message, step) = try protectHandshake(finished.commit, entropy: entropy)
        if let step { consume(step) }
        return StagedCommit(
            message: message.encoded, welcome: welcome,
            groupInfo: request.withGroupInfo ? info.map { MLSMessage.groupInfo($0).encoded } : nil,
            groupID: groupID, baseEpoch: epoch, next: next,
            committer: Member(finished.state.tree[ownLeaf] ?? leaf, at: ownLeaf),
            changes: applied.changes(
                list, committer: ownLeaf, isExternal: false, hasPath: path != nil, selfRemoved: false),
            authenticatedData: request.authenticatedData, confirmationTag: finished.state.confirmationTag,
            baseTranscript: current.interimTranscriptHash, sealedWith: step.map { ($0.id, $0.messageKey.generation) })
    }

    /// What this member's next leaf will say about it.
    func newProfile(
        _ given: LeafNode.Profile?, of leaf: LeafNode, entropy: any EntropySource
    ) -> LeafNode.Profile {
        guard let given else { return leaf.profile }
        return configuration.sendsGREASE ? given.greased(from: entropy) : given
    }

    /// Whether the other members would accept this change of the leaf; that the leaf is valid has been checked.
    ///
    /// - Throws: `tooLarge`, `invalidLeafNode`, `credentialRefused`.
    func check(ownChange new: LeafNode, of old: LeafNode, source: CredentialClaim.Source) throws(MLSError) {
        try configuration.checkLength(of: new)
        if !configuration.allowsCredentialChange && new.credential != old.credential {
            throw MLSError(.invalidLeafNode, "this member changes its credential")
        }
        try Authentication(configuration, context: current.context)
            .check(new, at: ownLeaf, source: source, replacing: old)
    }

    /// Wraps a signed handshake content the way it was signed for. The caller must apply the step, if any.
    func protectHandshake(
        _ content: AuthenticatedContent, entropy: any EntropySource
    ) throws(MLSError) -> (message: MLSMessage, step: SecretTree.Step?) {
        if content.wireFormat == .privateMessage {
            let (message, step) = try seal(content, kind: .handshake, entropy: entropy)
            return (.privateMessage(message), step)
        }
        let message = PublicMessage(
            protecting: content, membershipKey: try ownSecrets().epoch.membership, context: current.encodedContext,
            crypto: crypto)
        return (.publicMessage(message), nil)
    }
}
