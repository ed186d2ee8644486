/// A commit in the making: the steps of RFC 9420 §12.4.1 that a member's and a joiner's commit have in common.
struct CommitDraft {
    /// The proposals as the commit lists them.
    let listed: [ProposalOrRef]
    let baseContext: GroupContext
    let baseTranscript: [UInt8]
    let sender: Sender
    let authenticatedData: [UInt8]
    let crypto: any SuiteCrypto
    let entropy: any EntropySource

    /// A new path, in the tree and as it goes over the wire.
    struct Path {
        let prepared: PreparedUpdatePath
        let updatePath: UpdatePath
    }

    /// A finished commit and the epoch it begins.
    struct Finished {
        let commit: AuthenticatedContent
        let transition: EpochTransition
        let state: EpochState
    }

    /// Renews the path above a leaf and seals it to everyone except those who get it from the Welcome.
    func makePath(
        in applied: inout AppliedProposals, from leaf: LeafIndex, profile: LeafNode.Profile, signer: SignaturePrivateKey
    ) throws(MLSError) -> Path {
        let prepared = try applied.tree.prepareUpdatePath(
            from: leaf, profile: profile, groupID: baseContext.groupID, signer: signer, crypto: crypto,
            entropy: entropy)
        applied.context.treeHash = applied.tree.treeHash(crypto: crypto)
        let updatePath = try applied.tree.encryptUpdatePath(
            prepared, groupContext: applied.context.encoded, excluding: Set(applied.added.map(\.index)),
            crypto: crypto, entropy: entropy)
        return Path(prepared: prepared, updatePath: updatePath)
    }

    /// Signs the commit and runs the key schedule.
    ///
    /// - Parameter privateTree: the committer's before the commit; for a joiner, that of its new leaf.
    func finish(
        _ applied: AppliedProposals, path: Path?, privateTree: PrivateTree, initSecret: Secret,
        psks: [(id: PreSharedKeyID, secret: Secret)], as wireFormat: WireFormat, signer: SignaturePrivateKey
    ) throws(MLSError) -> Finished {
        var tree = applied.tree
        try tree.checkLength()
        var context = applied.context
        context.treeHash = tree.treeHash(crypto: crypto)
        let content = FramedContent(
            groupID: baseContext.groupID, epoch: baseContext.epoch, sender: sender,
            authenticatedData: authenticatedData,
            body: .commit(Commit(proposals: listed, path: path?.updatePath)))
        let signed = try AuthenticatedContent.sign(
            content, as: wireFormat, context: baseContext.encoded, signer: signer, crypto: crypto)
        context.confirmedTranscriptHash = TranscriptHash.confirmed(
            interim: baseTranscript, commit: signed, crypto: crypto)
        let transition = EpochTransition(
            initSecret: initSecret, commitSecret: path?.prepared.commitSecret ?? crypto.zeroSecret,
            pskSecret: try PSKSecret.combine(psks, crypto: crypto), context: context, crypto: crypto)
        var nextPrivate = path?.prepared.privateTree ?? privateTree
        nextPrivate.prune(to: tree)
        return Finished(
            commit: signed.with(confirmationTag: transition.confirmationTag), transition: transition,
            state: transition.state(tree: tree, privateTree: nextPrivate, crypto: crypto))
    }

    /// The Welcome for the members that the commit adds, as MLSMessage; nil if it adds none or there is no GroupInfo
    /// for it.
    func welcome(
        _ applied: AppliedProposals, path: Path?, psks: [PreSharedKeyID], finished: Finished, groupInfo: GroupInfo?
    ) throws(MLSError) -> [UInt8]? {
        guard let groupInfo, !applied.added.isEmpty else { return nil }
        var joiners: [(keyPackage: KeyPackage, pathSecret: Secret?)] = []
        for (index, keyPackage) in applied.added {
            joiners.append((keyPackage, path?.prepared.pathSecret(for: index)))
        }
        let welcome = try Welcome(
            groupInfo: groupInfo, joinerSecret: finished.transition.joinerSecret,
            memberSecret: finished.transition.memberSecret, psks: psks, joiners: joiners, crypto: crypto,
            entropy: entropy)
        return MLSMessage.welcome(welcome).encoded
    }
}

extension SuiteCrypto {
    /// `KDF.Nh` zeros: stands for a missing secret.
    var zeroSecret: Secret { Secret([UInt8](repeating: 0, count: suite.hashLength)) }
}
