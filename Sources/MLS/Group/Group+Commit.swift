extension Group {
    /// Makes a commit of the given proposals, without taking it: the group stays as it is.
    ///
    /// - Parameters:
    ///   - proposals: made by this very commit.
    ///   - includePending: whether the valid proposals among ``pendingProposals`` are committed too.
    ///   - forcePath: whether the commit renews this member's keys even where it need not.
    ///   - inlineTree: whether the GroupInfo and the Welcome carry the ratchet tree.
    ///   - withGroupInfo: whether ``StagedCommit/groupInfo`` is made, too. It costs a signature over the whole tree; whoever needs it now
    ///     and then only asks the group for it, once the commit is merged.
    ///   - psks: the secrets of PSK proposals.
    ///   - now: Unix seconds; the lifetimes of added key packages are checked against it.
    /// - Throws: `invalidProposal`, `invalidKeyPackage`, `invalidLeafNode`, `expired`, `unknownReference`, `removed`, `invalidState`.
    ///
    /// With ``GroupConfiguration/handshakeEncryption``, two commits staged on one epoch are sealed under one message key, each with its own
    /// reuse guard; send one of them only.
    public func commit(
        _ proposals: [Proposal], includePending: Bool = true, forcePath: Bool = true,
        authenticatedData: [UInt8] = [], inlineTree: Bool = true, withGroupInfo: Bool = true,
        psks: [PreSharedKey] = [], signer: SignaturePrivateKey, now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit {
        let (leaf, own) = try sendingLeaf(signer: signer)
        try checkLength(authenticatedData)
        let selection = try ProposalSelection(
            own: proposals, pending: includePending ? self.proposals.entries : [], in: self, now: now)
        let list = selection.list
        var applied = selection.applied
        let draft = CommitDraft(
            listed: selection.listed, baseContext: current.context, baseTranscript: current.interimTranscriptHash,
            sender: .member(ownLeaf), authenticatedData: authenticatedData, crypto: crypto, entropy: entropy)
        var path: CommitDraft.Path?
        if list.requiresPath || forcePath {
            path = try draft.makePath(in: &applied, from: ownLeaf, profile: leaf.profile, signer: signer)
        }
        let finished = try draft.finish(
            applied, path: path, privateTree: own.privateTree, initSecret: own.epoch.initSecret,
            psks: resolve(list.psks, given: psks), as: handshakeFormat, signer: signer)

        let next = Group(
            configuration: configuration, crypto: crypto, current: finished.state, successor: list.reInit)
        var info: GroupInfo?
        if withGroupInfo || !applied.added.isEmpty {
            info = try next.makeGroupInfo(signer: signer, inlineTree: inlineTree, externalPub: withGroupInfo)
        }
        return StagedCommit(
            message: try protectHandshake(finished.commit, entropy: entropy).message.encoded,
            welcome: try draft.welcome(applied, path: path, psks: list.psks, finished: finished, groupInfo: info),
            groupInfo: withGroupInfo ? info.map { MLSMessage.groupInfo($0).encoded } : nil, groupID: groupID, baseEpoch: epoch, next: next,
            committer: Member(finished.state.tree[ownLeaf] ?? leaf, at: ownLeaf),
            changes: applied.changes(
                list, committer: ownLeaf, isExternal: false, hasPath: path != nil, selfRemoved: false),
            authenticatedData: authenticatedData, confirmationTag: finished.state.confirmationTag,
            baseTranscript: current.interimTranscriptHash)
    }

    /// Wraps a signed handshake content the way it was signed for.
    func protectHandshake(
        _ content: AuthenticatedContent, entropy: any EntropySource
    ) throws(MLSError) -> (message: MLSMessage, key: (id: SecretTree.RatchetID, generation: UInt32)?) {
        if content.wireFormat == .privateMessage {
            let (message, step) = try seal(content, kind: .handshake, entropy: entropy)
            return (.privateMessage(message), (step.id, step.messageKey.generation))
        }
        let message = PublicMessage(
            protecting: content, membershipKey: try ownSecrets().epoch.membership, context: current.encodedContext,
            crypto: crypto)
        return (.publicMessage(message), nil)
    }
}
