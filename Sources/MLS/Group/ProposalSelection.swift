/// Which proposals a member commits, and what they make of the group (RFC 9420 §12.2, §12.4).
///
/// Of the pending ones, all that are valid and fit together and with those it makes itself, so that one bad proposal cannot keep
/// a group from moving on.
struct ProposalSelection {
    /// As the commit lists them.
    let listed: [ProposalOrRef]
    let list: ProposalList
    let applied: AppliedProposals

    /// The proposals of the request itself are taken as they are and win over pending ones.
    ///
    /// - Throws: what is wrong with them.
    init(_ request: CommitRequest, in group: Group) throws(MLSError) {
        let candidates = request.includePending ? Self.candidates(request, in: group) : []
        do {
            // All at once is how it nearly always goes.
            try self.init(request, taking: candidates, in: group)
        } catch {
            if candidates.isEmpty { throw error }
            // Else one by one, and not too many: each trial checks all signatures again.
            var chosen: [PendingProposal] = []
            for candidate in candidates.prefix(Limits.triedProposals) {
                do {
                    _ = try ProposalSelection(request, taking: chosen + [candidate], in: group)
                    chosen.append(candidate)
                } catch {
                    // It does not fit, so it stays out of the commit.
                }
            }
            try self.init(request, taking: chosen, in: group)
        }
    }

    private init(
        _ request: CommitRequest, taking pending: [PendingProposal], in group: Group
    ) throws(MLSError) {
        listed = pending.map { .reference($0.reference) } + request.proposals.map { .proposal($0) }
        let own = request.proposals.map {
            ProposalList.Entry(proposal: $0, sender: .member(group.ownLeaf), updateKey: nil)
        }
        let tree = group.current.tree
        list = try ProposalList(
            pending.map(\.entry) + own, committer: group.ownLeaf, founding: request.founding, crypto: group.crypto)
        if !group.configuration.allowsCredentialChange {
            try list.checkCredentials(in: tree, committer: group.ownLeaf, pathLeaf: nil)
        }
        applied = try AppliedProposals(
            list, to: tree, context: group.current.context, crypto: group.crypto, now: request.now)
        try applied.checkMembers(
            extensionsChanged: list.extensions != nil, own: group.ownLeaf, configuration: group.configuration,
            crypto: group.crypto)
        try Authentication(group.configuration, context: group.current.context).check(list, applied, before: tree)
    }

    /// What may be committed at all, and of proposals that exclude each other the first: Removes before Updates, the latest Update,
    /// anything before a ReInit.
    private static func candidates(_ request: CommitRequest, in group: Group) -> [PendingProposal] {
        // A ReInit stands alone, so whoever makes one wants nothing else.
        if request.proposals.contains(where: { $0.type == .reInit }) { return [] }
        let pending = group.proposals.entries.filter { isForOthers($0, committer: group.ownLeaf) }
        let changes =
            pending.filter { $0.proposal.type == .remove }
            + pending.reversed().filter { $0.proposal.type == .update }
            + pending.filter { [.add, .groupContextExtensions].contains($0.proposal.type) }
            + pending.filter { isKnownPSK($0.proposal, request, in: group) }
        if !changes.isEmpty || !request.proposals.isEmpty { return changes }
        return pending.reversed().filter { $0.proposal.type == .reInit }
    }

    /// A committer neither updates nor removes itself by a proposal (RFC 9420 §12.2).
    private static func isForOthers(_ pending: PendingProposal, committer: LeafIndex) -> Bool {
        switch pending.proposal {
        case .update: pending.sender != committer
        case .remove(let index): index != committer
        case .add, .preSharedKey, .reInit, .externalInit, .groupContextExtensions: true
        }
    }

    private static func isKnownPSK(_ proposal: Proposal, _ request: CommitRequest, in group: Group) -> Bool {
        guard case .preSharedKey(let id) = proposal else { return false }
        return group.secret(for: id.source, given: request.psks) != nil
    }
}

extension PendingProposal {
    var entry: ProposalList.Entry { .init(proposal: proposal, sender: origin, updateKey: updateKey) }
}
