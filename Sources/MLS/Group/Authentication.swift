/// Asks the ``AuthenticationService`` about those who join the group.
struct Authentication {
    let service: any AuthenticationService
    let suite: CipherSuite
    let groupID: [UInt8]

    init(_ configuration: GroupConfiguration, context: GroupContext) {
        service = configuration.authentication
        suite = context.suite
        groupID = context.groupID
    }

    /// Everyone in a group that is about to be joined.
    ///
    /// - Throws: `credentialRefused`; `malformed` when the external senders cannot be read.
    func check(_ group: PublicGroup) throws(MLSError) {
        for (index, leaf) in group.tree.members { try check(leaf, at: index, source: .joinedGroup, replacing: nil) }
        try checkExternalSenders(of: group.info.context.extensions)
    }

    /// Those whom a commit's proposals bring in or change.
    ///
    /// - Parameter tree: before the commit.
    /// - Throws: `credentialRefused`; `malformed` when the external senders cannot be read.
    func check(_ list: ProposalList, _ applied: AppliedProposals, before tree: RatchetTree) throws(MLSError) {
        for update in list.updates {
            try check(update.leaf, at: update.index, source: .update, replacing: tree[update.index])
        }
        for (index, keyPackage) in applied.added {
            try check(keyPackage.leafNode, at: index, source: .add, replacing: nil)
        }
        if let extensions = list.extensions { try checkExternalSenders(of: extensions) }
    }

    /// - Throws: `credentialRefused`.
    func check(
        _ leaf: LeafNode, at index: LeafIndex?, source: CredentialClaim.Source, replacing old: LeafNode?
    ) throws(MLSError) {
        try check(
            CredentialClaim(
                source: source, credential: leaf.credential, signatureKey: leaf.signatureKey, suite: suite,
                groupID: groupID, leaf: index, replaced: old?.credential))
    }

    /// - Throws: `credentialRefused`; `malformed` when the external senders cannot be read.
    func checkExternalSenders(of extensions: [Extension]) throws(MLSError) {
        for sender in try extensions.externalSenders() {
            try check(
                CredentialClaim(
                    source: .externalSender, credential: sender.credential, signatureKey: sender.signatureKey,
                    suite: suite, groupID: groupID, leaf: nil, replaced: nil))
        }
    }

    private func check(_ claim: CredentialClaim) throws(MLSError) {
        if !service.accepts(claim) {
            throw MLSError(.credentialRefused, "a credential of type \(claim.credential.type.rawValue)")
        }
    }
}
