extension Group {
    /// Joins a group by a commit of one's own (RFC 9420 §12.4.3.2).
    ///
    /// - Parameters:
    ///   - groupInfo: of the group's present epoch, with external_pub; MLSMessage.
    ///   - ratchetTree: the encoded tree, when the GroupInfo does not carry it.
    ///   - removePrior: whether a member with the same credential is removed by the same commit: an older self, say on
    ///     a lost device.
    ///   - priorLeaf: the leaf of that member, if its credential does not tell it from others.
    ///   - withGroupInfo: whether ``StagedCommit/groupInfo`` is made, too.
    ///   - psks: keys to be mixed in, one PSK proposal each.
    /// - Returns: a staged commit whose `next` is the group, once the commit has been accepted.
    /// - Throws: `invalidWelcome`, `invalidTree`, `unsupported`, `credentialRefused`, or what else is wrong with the
    ///   GroupInfo; `invalidProposal` if there is no member at the leaf to be removed, or a PSK is not for commits.
    public static func externalCommit(
        groupInfo: [UInt8], ratchetTree: [UInt8]? = nil, credential: Credential, signer: SignaturePrivateKey,
        removePrior: Bool = false, removing priorLeaf: LeafIndex? = nil, leafExtensions: [Extension] = [],
        authenticatedData: [UInt8] = [], withGroupInfo: Bool = true, psks: [PreSharedKey] = [],
        capabilities: Capabilities = Capabilities(), crypto: any SuiteCrypto,
        configuration: GroupConfiguration = .init(), entropy: any EntropySource
    ) throws(MLSError) -> StagedCommit {
        try checkLength(authenticatedData)
        guard case .groupInfo(let info) = try MLSMessage(decoding: groupInfo) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        let publicGroup = try PublicGroup(
            info, separateTree: ratchetTree, configuration: configuration, crypto: crypto)
        try Authentication(configuration, context: info.context).check(publicGroup)
        guard let externalKey = try info.externalPub() else {
            throw MLSError(.invalidWelcome, "the GroupInfo has no external_pub")
        }
        let (kemOutput, initSecret) = try KeySchedule.sendExternalInit(
            to: externalKey, crypto: crypto, entropy: entropy)

        var proposals: [Proposal] = [.externalInit(kemOutput: kemOutput)]
        if let priorLeaf {
            proposals.append(.remove(priorLeaf))
        } else if removePrior, let prior = publicGroup.tree.members.first(where: { $0.1.credential == credential }) {
            proposals.append(.remove(prior.0))
        }
        var resolved: [(id: PreSharedKeyID, secret: Secret)] = []
        for psk in psks {
            let id = PreSharedKeyID(source: psk.source, suite: crypto.suite, entropy: entropy)
            proposals.append(.preSharedKey(id))
            resolved.append((id, psk.secret))
        }
        let list = try ProposalList(
            proposals.map { .init(proposal: $0, sender: .newMemberCommit, updateKey: nil) }, committer: nil,
            crypto: crypto)
        var applied = try AppliedProposals(
            list, to: publicGroup.tree, context: info.context, crypto: crypto, now: nil)
        let ownLeaf = try applied.tree.reserveLeaf()
        var profile = LeafNode.Profile(credential: credential, capabilities: capabilities, extensions: leafExtensions)
        if configuration.sendsGREASE { profile = profile.greased(from: entropy) }

        let baseTranscript = TranscriptHash.interim(
            confirmed: info.context.confirmedTranscriptHash, confirmationTag: info.confirmationTag, crypto: crypto)
        let draft = CommitDraft(
            listed: proposals.map { .proposal($0) }, baseContext: info.context,
            baseTranscript: baseTranscript, sender: .newMemberCommit, authenticatedData: authenticatedData,
            crypto: crypto, entropy: entropy)
        let path = try draft.makePath(
            in: &applied, from: ownLeaf,
            profile: profile, signer: signer)
        try path.prepared.leafNode.validateContent(crypto: crypto)
        try capabilities.checkOwnSupport(groupExtensions: info.context.extensions, orThrow: .invalidLeafNode)
        try applied.checkMembers(
            extensionsChanged: false, own: nil, author: ownLeaf, configuration: configuration, crypto: crypto)
        let finished = try draft.finish(
            applied, path: path, privateTree: path.prepared.privateTree, initSecret: initSecret, psks: resolved,
            as: .publicMessage,
            signer: signer)

        let next = Group(configuration: configuration, crypto: crypto, current: finished.state)
        return StagedCommit(
            message: MLSMessage.publicMessage(PublicMessage(fromOutside: finished.commit)).encoded, welcome: nil,
            groupInfo: withGroupInfo
                ? MLSMessage.groupInfo(
                    try next.makeGroupInfo(signer: signer, inlineTree: true, externalPub: true, entropy: entropy)
                ).encoded : nil,
            groupID: info.context.groupID, baseEpoch: info.context.epoch, next: next,
            committer: Member(index: ownLeaf, credential: credential, signatureKey: signer.publicKey),
            changes: applied.changes(list, committer: ownLeaf, isExternal: true, hasPath: true, selfRemoved: false),
            authenticatedData: authenticatedData, confirmationTag: finished.state.confirmationTag,
            baseTranscript: baseTranscript, sealedWith: nil)
    }
}
