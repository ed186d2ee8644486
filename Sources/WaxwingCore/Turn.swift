import ConclaveProtocol

/// The work on one input: what will be committed, and what will be done after that.
struct Turn {
    var draft: Draft
    let moment: Moment
    var effects: [Effect] = []
    var outcome: CommandOutcome = .nothing

    init(draft: Draft, now: Moment) {
        self.draft = draft
        moment = now
    }

    /// What the wall clock shows: for what is stored and shown, and for nothing that waits.
    var now: Instant { moment.wall }

    /// When a wait that begins now ends.
    func deadline(afterMilliseconds delta: UInt64) -> Deadline { moment.deadline(afterMilliseconds: delta) }

    mutating func notice(_ notice: Notice) { draft.notices.append(notice) }

    func batch() -> Batch {
        Batch(changes: draft.changes, effects: effects + draft.notices.map { .notice($0) }, outcome: outcome)
    }
}
