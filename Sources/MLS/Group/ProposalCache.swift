/// The proposals of an epoch: those that wait for a commit of this member, and those that are set aside.
///
/// Someone else's commit may refer to any proposal of the epoch, so none is ever refused. But only a limited number
/// wait to be committed by this member, and each sender's share is limited; senders of few proposals go before senders
/// of many. The others are *aside*: in the store, and in memory only until they have been stored and
/// ``leaveAsideInStore()`` is called.
struct ProposalCache: Sendable {
    private struct Waiting {
        let number: UInt32
        /// How many shares its sender has taken, including this one: the lower, the earlier it is committed.
        let rank: Int
        let proposal: PendingProposal
    }

    private var waiting: [ProposalRef: Waiting] = [:]
    private var numbers: [UInt32: ProposalRef] = [:]
    /// Those that wait, by rank, and in each rank in the order they came.
    private var ranks: [[ProposalRef]] = []
    private var taken: [Sender: Int] = [:]
    private var shares = 0
    private var nextNumber: UInt32 = 0
    private var aside: [ProposalRef: PendingProposal] = [:]
    /// Whether proposals may be aside only in the store.
    private(set) var moreInStore: Bool

    init(moreInStore: Bool = false) { self.moreInStore = moreInStore }

    /// A proposal that is in memory.
    subscript(reference: ProposalRef) -> PendingProposal? { waiting[reference]?.proposal ?? aside[reference] }

    /// One that waits, by the number of its record.
    subscript(number: UInt32) -> PendingProposal? { numbers[number].flatMap { waiting[$0]?.proposal } }

    /// The number of the record of one that waits; of others the highest.
    func number(of proposal: PendingProposal) -> UInt32 { waiting[proposal.reference]?.number ?? .max }

    func asideInMemory(_ reference: ProposalRef) -> PendingProposal? { aside[reference] }

    /// Those that wait, in the order they came.
    var entries: [PendingProposal] { waiting.values.sorted { $0.number < $1.number }.map(\.proposal) }
    /// Those that wait, each sender's first before any sender's second.
    var inFairOrder: some Sequence<PendingProposal> { ranks.lazy.joined().compactMap { waiting[$0]?.proposal } }
    var isEmpty: Bool { waiting.isEmpty }
    var hasAside: Bool { moreInStore || !aside.isEmpty }

    /// The records of all that are in memory.
    var records: [RecordKey] {
        waiting.values.map { .proposal($0.number) } + aside.keys.map { .asideProposal($0) }
            + (hasAside ? [.asideMark] : [])
    }

    /// Adds a proposal; one that is in memory already changes nothing. Takes constant time.
    ///
    /// - Parameters:
    ///   - isOwn: whether this member proposes it; then it is not limited.
    ///   - number: of its record, if it has one; they must increase.
    /// - Returns: the records that change.
    mutating func insert(_ proposal: PendingProposal, isOwn: Bool = false, number: UInt32? = nil) -> [RecordKey] {
        if self[proposal.reference] != nil { return [] }
        let number = number ?? nextNumber
        var rank = taken[proposal.origin, default: 0] + proposal.shares
        if isOwn { rank = min(rank, Limits.waitingProposalsOfOneSender) }
        if rank > Limits.waitingProposalsOfOneSender || number == .max { return putAside(proposal) }
        nextNumber = number + 1
        taken[proposal.origin] = rank
        waiting[proposal.reference] = Waiting(number: number, rank: rank, proposal: proposal)
        numbers[number] = proposal.reference
        while ranks.count <= rank { ranks.append([]) }
        ranks[rank].append(proposal.reference)
        shares += proposal.shares
        var changed: [RecordKey] = [.proposal(number)]
        while shares > Limits.waitingProposals, let last = popLast() { changed += setAside(last) }
        return changed
    }

    /// Lets proposals wait no more.
    ///
    /// - Returns: the records that change.
    mutating func setAside(_ references: Set<ProposalRef>) -> [RecordKey] {
        if references.isEmpty { return [] }
        for rank in ranks.indices { ranks[rank].removeAll(where: references.contains) }
        return references.flatMap { setAside($0) }
    }

    /// Forgets the proposals aside, now that they are stored.
    mutating func leaveAsideInStore() {
        moreInStore = hasAside
        aside = [:]
    }

    /// A proposal that was found among those stored aside.
    mutating func restore(aside proposal: PendingProposal) { aside[proposal.reference] = proposal }

    /// The one that would be committed last.
    private mutating func popLast() -> ProposalRef? {
        while ranks.last?.isEmpty == true { ranks.removeLast() }
        return ranks.isEmpty ? nil : ranks[ranks.count - 1].popLast()
    }

    private mutating func setAside(_ reference: ProposalRef) -> [RecordKey] {
        guard let entry = waiting.removeValue(forKey: reference) else { return [] }
        numbers[entry.number] = nil
        shares -= entry.proposal.shares
        return [.proposal(entry.number)] + putAside(entry.proposal)
    }

    private mutating func putAside(_ proposal: PendingProposal) -> [RecordKey] {
        let mark: [RecordKey] = hasAside ? [] : [.asideMark]
        aside[proposal.reference] = proposal
        return [.asideProposal(proposal.reference)] + mark
    }
}
