/// The proposals of one commit, by kind, checked against each other (RFC 9420 §12.2).
///
/// What depends on the group they are for is checked when they are applied.
struct ProposalList: Sendable {
    /// A proposal with what the commit's reader knows about its origin.
    struct Entry: Sendable {
        let proposal: Proposal
        let sender: Sender
        /// For an Update of this very member: the new leaf's private key.
        let updateKey: HPKEPrivateKey?
    }

    struct Update: Sendable {
        let index: LeafIndex
        let leaf: LeafNode
        let key: HPKEPrivateKey?
    }

    private(set) var extensions: [Extension]?
    private(set) var updates: [Update] = []
    private(set) var removes: [LeafIndex] = []
    private(set) var adds: [KeyPackage] = []
    private(set) var psks: [PreSharedKeyID] = []
    private(set) var externalInit: [UInt8]?
    private(set) var reInit: ReInit?
    /// Whether a commit of these must have a path (RFC 9420 §12.4).
    let requiresPath: Bool

    /// - Parameters:
    ///   - committer: nil for an external commit.
    ///   - founding: what else a resumption PSK may be for, in the first commit of a group that continues another one.
    /// - Throws: `invalidProposal`, `tooLarge`; `malformed` for extensions that cannot be read.
    init(
        _ entries: [Entry], committer: LeafIndex?, founding: ResumptionUsage = .application, crypto: any SuiteCrypto
    ) throws(MLSError) {
        if entries.count > Limits.commitProposals {
            throw MLSError(.tooLarge, "a commit of \(entries.count) proposals")
        }
        requiresPath =
            entries.isEmpty
            || entries.contains { entry in
                switch entry.proposal {
                case .update, .remove, .externalInit, .groupContextExtensions: true
                case .add, .preSharedKey, .reInit: false
                }
            }
        var changedLeaves: Set<LeafIndex> = []
        var usedPSKs: Set<PreSharedKeyID> = []
        for entry in entries {
            try entry.proposal.check(founding: founding, suite: crypto.suite)
            switch entry.proposal {
            case .add(let keyPackage):
                adds.append(keyPackage)
            case .update(let leaf):
                guard let sender = entry.sender.member, sender != committer else {
                    throw MLSError(.invalidProposal, "an Update of the committer's own leaf")
                }
                try Self.claim(sender, in: &changedLeaves)
                updates.append(Update(index: sender, leaf: leaf, key: entry.updateKey))
            case .remove(let index):
                if index == committer { throw MLSError(.invalidProposal, "the committer removes itself") }
                try Self.claim(index, in: &changedLeaves)
                removes.append(index)
            case .preSharedKey(let id):
                if !usedPSKs.insert(id).inserted { throw MLSError(.invalidProposal, "a PSK comes twice") }
                psks.append(id)
            case .reInit(let parameters):
                if entries.count > 1 { throw MLSError(.invalidProposal, "a ReInit beside other proposals") }
                reInit = parameters
            case .externalInit(let kemOutput):
                if committer != nil { throw MLSError(.invalidProposal, "an ExternalInit in a member's commit") }
                if externalInit != nil { throw MLSError(.invalidProposal, "two ExternalInits") }
                externalInit = kemOutput
            case .groupContextExtensions(let extensions):
                if self.extensions != nil { throw MLSError(.invalidProposal, "two GroupContextExtensions") }
                self.extensions = extensions
            }
        }
        if committer == nil { try checkExternal() }
    }

    /// Refuses new leaves under another name than the ones they replace had.
    ///
    /// - Parameters:
    ///   - tree: before the commit.
    ///   - committer: nil for an external commit, whose author replaces the member that it removes, if any.
    ///   - pathLeaf: the leaf of the commit's path.
    /// - Throws: `invalidLeafNode`.
    func checkCredentials(in tree: RatchetTree, committer: LeafIndex?, pathLeaf: LeafNode?) throws(MLSError) {
        var replacements = updates.map { (old: $0.index, new: $0.leaf) }
        if let pathLeaf, let old = committer ?? removes.first { replacements.append((old, pathLeaf)) }
        for (old, new) in replacements {
            if let before = tree[old], before.credential != new.credential {
                throw MLSError(.invalidLeafNode, "\(old) changes its credential")
            }
        }
    }

    private static func claim(_ index: LeafIndex, in changed: inout Set<LeafIndex>) throws(MLSError) {
        if !changed.insert(index).inserted { throw MLSError(.invalidProposal, "two proposals change \(index)") }
    }

    /// What an external commit may hold (RFC 9420 §12.2, second list).
    private func checkExternal() throws(MLSError) {
        if externalInit == nil { throw MLSError(.invalidProposal, "an external commit without an ExternalInit") }
        if removes.count > 1 { throw MLSError(.invalidProposal, "an external commit with two Removes") }
        if !adds.isEmpty || !updates.isEmpty || extensions != nil || reInit != nil {
            throw MLSError(.invalidProposal, "an external commit with a proposal that only members may make")
        }
    }
}
