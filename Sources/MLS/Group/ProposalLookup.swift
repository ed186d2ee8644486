/// Finds what a commit refers to.
extension Group {
    /// The proposals of a received commit, those by reference looked up in memory and in the store.
    ///
    /// Together they may be as long as a commit by value could be, whatever this member keeps in memory: all members
    /// must judge alike.
    /// - Parameter stored: see ``process(_:psks:now:stored:)``.
    /// - Throws: `unknownReference`; `invalidProposal` for references in an external commit, or two to one proposal;
    ///   `tooLarge`.
    func resolveProposals(
        of commit: Commit, from sender: Sender, stored: (_ key: [UInt8]) throws(MLSError) -> [UInt8]?
    ) throws(MLSError) -> [ProposalList.Entry] {
        var entries: [ProposalList.Entry] = []
        var seen: Set<ProposalRef> = []
        var length = 0
        for listed in commit.proposals {
            switch listed {
            case .proposal(let proposal):
                entries.append(.init(proposal: proposal, sender: sender, updateKey: nil))
            case .reference(let reference):
                if sender.member == nil {
                    throw MLSError(.invalidProposal, "an external commit refers to a proposal")
                }
                // No proposal may be committed twice, and looking it up again would cost more than the two bytes of the
                // reference.
                if !seen.insert(reference).inserted {
                    throw MLSError(.invalidProposal, "a commit refers to one proposal twice")
                }
                guard let pending = try pendingProposal(reference, stored: stored) else {
                    throw MLSError(.unknownReference, "a commit refers to a proposal that is not known here")
                }
                length += pending.proposal.encoded.count
                if length > Limits.vectorLength {
                    throw MLSError(.tooLarge, "a commit refers to proposals of \(length) bytes")
                }
                entries.append(pending.entry)
            }
        }
        return entries
    }

    private func pendingProposal(
        _ reference: ProposalRef, stored: (_ key: [UInt8]) throws(MLSError) -> [UInt8]?
    ) throws(MLSError) -> PendingProposal? {
        if let pending = proposals[reference] { return pending }
        guard proposals.moreInStore, let record = try stored(RecordKey.asideProposal(reference).encoded) else {
            return nil
        }
        return try PendingProposal(decoding: record, epoch: epoch, crypto: crypto)
    }
}
