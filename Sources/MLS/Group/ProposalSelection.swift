/// Which pending proposals a member commits (RFC 9420 §12.2, §12.4): all that are valid and fit together and with the ones it makes
/// itself, so that one bad proposal cannot keep a group from moving on.
struct ProposalSelection {
    let entries: [ProposalList.Entry]
    /// The same, as the commit lists them.
    let listed: [ProposalOrRef]

    /// - Parameter own: by value; they are taken as they are and win over pending ones.
    init(own: [Proposal], pending: [PendingProposal], in group: Group, now: UInt64?) {
        let ownEntries = own.map { ProposalList.Entry(proposal: $0, sender: group.ownLeaf, updateKey: nil) }
        var chosen = Self.byPreference(pending)
        // All at once is how it nearly always goes. If not, one by one, and not too many: each trial checks signatures.
        if !Self.fits(chosen.map(\.entry) + ownEntries, in: group, now: now) {
            let candidates = chosen.prefix(Limits.triedProposals)
            chosen = []
            for candidate in candidates
            where Self.fits(chosen.map(\.entry) + [candidate.entry] + ownEntries, in: group, now: now) {
                chosen.append(candidate)
            }
        }
        entries = chosen.map(\.entry) + ownEntries
        listed = chosen.map { .reference($0.reference) } + own.map { .proposal($0) }
    }

    /// Of proposals that exclude each other the first is taken: Removes before Updates, the latest Update, anything before a ReInit.
    /// A PSK needs a secret that only the caller can give, so it is committed by value or not at all.
    private static func byPreference(_ pending: [PendingProposal]) -> [PendingProposal] {
        pending.filter { $0.proposal.type == .remove }
            + pending.reversed().filter { $0.proposal.type == .update }
            + pending.filter { [.add, .groupContextExtensions].contains($0.proposal.type) }
            + pending.reversed().filter { $0.proposal.type == .reInit }
    }

    private static func fits(_ entries: [ProposalList.Entry], in group: Group, now: UInt64?) -> Bool {
        do {
            let list = try ProposalList(entries, committer: group.ownLeaf, crypto: group.crypto)
            let applied = try AppliedProposals(
                list, to: group.current.tree, context: group.current.context, crypto: group.crypto, now: now)
            try applied.checkMembers(extensionsChanged: list.extensions != nil, crypto: group.crypto)
            return true
        } catch {
            return false
        }
    }
}

extension PendingProposal {
    var entry: ProposalList.Entry { .init(proposal: proposal, sender: sender, updateKey: updateKey) }
}
