/// Chooses the proposals that a member commits, and computes what they make of the group (RFC 9420 §12.2, §12.4).
///
/// It takes all waiting proposals that are valid and compatible with each other and with those it makes itself. So no
/// bad proposal keeps a group from moving on, and no member with many proposals keeps the others' out. Its cost is
/// limited by ``Limits/triedProposals``.
struct ProposalSelection {
    /// As the commit lists them.
    let listed: [ProposalOrRef]
    let list: ProposalList
    let applied: AppliedProposals
    /// Waiting proposals that no commit can ever include, as far as they have been found.
    private(set) var unsound: Set<ProposalRef> = []

    /// The proposals of the request itself are used as they are and take precedence over waiting ones.
    ///
    /// - Throws: what is wrong with them.
    init(_ request: CommitRequest, in group: Group) throws(MLSError) {
        let pool = Self.pool(request, in: group)
        var unsound = Self.unsound(pool, in: group, signatures: false)
        let chosen = Self.fitting(pool.filter { !unsound.contains($0.reference) }, request, in: group)
        do {
            // Nearly always, all of them can be taken at once.
            try self.init(request, taking: chosen, in: group)
        } catch {
            if chosen.isEmpty { throw error }
            // One of the chosen has a signature that does not verify, or a credential that is not accepted.
            unsound = Self.unsound(pool, in: group, signatures: true)
            let rest = pool.filter { !unsound.contains($0.reference) && Self.isAccepted($0, in: group) }
            do {
                try self.init(request, taking: Self.fitting(rest, request, in: group), in: group)
            } catch {
                try self.init(request, taking: [], in: group)
            }
        }
        self.unsound = unsound
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

    /// The proposals considered for one commit, each sender's first before any sender's second.
    private static func pool(_ request: CommitRequest, in group: Group) -> [PendingProposal] {
        // A ReInit stands alone, so a committer who makes one wants nothing else.
        if !request.includePending || request.proposals.contains(where: { $0.type == .reInit }) { return [] }
        let pool = group.proposals.inFairOrder.lazy.filter { mayBeCommitted($0, request, in: group) }
        return Array(pool.prefix(Limits.triedProposals))
    }

    /// A committer neither updates nor removes itself by a proposal (RFC 9420 §12.2), and needs the secret of a PSK.
    private static func mayBeCommitted(_ pending: PendingProposal, _ request: CommitRequest, in group: Group) -> Bool {
        switch pending.proposal {
        case .update: pending.sender != group.ownLeaf
        case .remove(let index): index != group.ownLeaf
        case .preSharedKey(let id): group.secret(for: id.source, given: request.psks) != nil
        case .add, .reInit, .externalInit, .groupContextExtensions: true
        }
    }

    private static func unsound(
        _ pool: [PendingProposal], in group: Group, signatures: Bool
    ) -> Set<ProposalRef> {
        var unsound: Set<ProposalRef> = []
        for pending in pool {
            do throws(MLSError) {
                try pending.checkSoundness(in: group, signatures: signatures)
            } catch {
                unsound.insert(pending.reference)
            }
        }
        return unsound
    }

    /// Of proposals that exclude each other the first is taken: Removes before Updates, the latest Update, anything
    /// before a ReInit.
    private static func fitting(
        _ pool: [PendingProposal], _ request: CommitRequest, in group: Group
    ) -> [PendingProposal] {
        if pool.isEmpty { return [] }
        var trial = ProposalTrial(request, in: group)
        let chosen = inOrder(pool).filter { trial.take($0.proposal, from: $0.origin) }
        if !chosen.isEmpty || !request.proposals.isEmpty {
            // What is tried in fair order is listed in the order it came.
            return inOrder(chosen.sorted { group.proposals.number(of: $0) < group.proposals.number(of: $1) })
        }
        return pool.last { $0.proposal.type == .reInit }.map { [$0] } ?? []
    }

    /// Removes first, then Updates with the latest first, then the others that change members or extensions, then PSKs.
    private static func inOrder(_ pool: [PendingProposal]) -> [PendingProposal] {
        pool.filter { $0.proposal.type == .remove }
            + pool.reversed().filter { $0.proposal.type == .update }
            + pool.filter { [.add, .groupContextExtensions].contains($0.proposal.type) }
            + pool.filter { $0.proposal.type == .preSharedKey }
    }

    /// Whether the application accepts the clients that a proposal brings; its answer may change later.
    private static func isAccepted(_ pending: PendingProposal, in group: Group) -> Bool {
        let authentication = Authentication(group.configuration, context: group.current.context)
        do throws(MLSError) {
            switch pending.proposal {
            case .add(let keyPackage):
                try authentication.check(keyPackage.leafNode, at: nil, source: .add, replacing: nil)
            case .update(let leaf):
                try authentication.check(
                    leaf, at: pending.sender, source: .update,
                    replacing: pending.sender.flatMap { group.current.tree[$0] })
            case .groupContextExtensions(let extensions): try authentication.checkExternalSenders(of: extensions)
            case .remove, .preSharedKey, .reInit, .externalInit: break
            }
            return true
        } catch {
            return false
        }
    }
}
