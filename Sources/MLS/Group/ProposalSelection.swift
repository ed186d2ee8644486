/// Which proposals a member commits, and what they make of the group (RFC 9420 §12.2, §12.4).
///
/// Of the pending ones, all that are valid and fit together and with those it makes itself, so that one bad proposal cannot keep
/// a group from moving on.
struct ProposalSelection {
    /// As the commit lists them.
    let listed: [ProposalOrRef]
    let list: ProposalList
    let applied: AppliedProposals

    /// - Parameter own: by value; they are taken as they are and win over pending ones.
    /// - Throws: what is wrong with one's own proposals.
    init(own: [Proposal], pending: [PendingProposal], in group: Group, now: UInt64?) throws(MLSError) {
        let candidates = Self.byPreference(pending)
        do {
            // All at once is how it nearly always goes.
            try self.init(own: own, taking: candidates, in: group, now: now)
        } catch {
            if candidates.isEmpty { throw error }
            // Else one by one, and not too many: each trial checks all signatures again.
            var chosen: [PendingProposal] = []
            for candidate in candidates.prefix(Limits.triedProposals) {
                do {
                    _ = try ProposalSelection(own: own, taking: chosen + [candidate], in: group, now: now)
                    chosen.append(candidate)
                } catch {
                    // It does not fit, so it stays out of the commit.
                }
            }
            try self.init(own: own, taking: chosen, in: group, now: now)
        }
    }

    private init(
        own: [Proposal], taking pending: [PendingProposal], in group: Group, now: UInt64?
    ) throws(MLSError) {
        listed = pending.map { .reference($0.reference) } + own.map { .proposal($0) }
        let entries =
            pending.map(\.entry) + own.map { .init(proposal: $0, sender: group.ownLeaf, updateKey: nil) }
        list = try ProposalList(entries, committer: group.ownLeaf, crypto: group.crypto)
        if !group.configuration.allowsCredentialChange {
            try list.checkCredentials(in: group.current.tree, committer: group.ownLeaf, pathLeaf: nil)
        }
        applied = try AppliedProposals(
            list, to: group.current.tree, context: group.current.context, crypto: group.crypto, now: now)
        try applied.checkMembers(extensionsChanged: list.extensions != nil, crypto: group.crypto)
    }

    /// Of proposals that exclude each other the first is taken: Removes before Updates, the latest Update, anything before a ReInit.
    /// A PSK needs a secret that only the caller can give, so it is committed by value or not at all.
    private static func byPreference(_ pending: [PendingProposal]) -> [PendingProposal] {
        pending.filter { $0.proposal.type == .remove }
            + pending.reversed().filter { $0.proposal.type == .update }
            + pending.filter { [.add, .groupContextExtensions].contains($0.proposal.type) }
            + pending.reversed().filter { $0.proposal.type == .reInit }
    }
}

extension PendingProposal {
    var entry: ProposalList.Entry { .init(proposal: proposal, sender: sender, updateKey: updateKey) }
}
