import ConclaveProtocol

/// The work of one input: what will be committed, and what will be done after that.
struct Turn {
    var draft: Draft
    let now: Instant
    var effects: [Effect] = []
    var outcome: CommandOutcome = .nothing

    init(draft: Draft, now: Instant) {
        self.draft = draft
        self.now = now
    }

    mutating func notice(_ notice: Notice) { draft.notices.append(notice) }

    func batch() -> Batch {
        Batch(changes: draft.changes, effects: effects + draft.notices.map { .notice($0) }, outcome: outcome)
    }
}
