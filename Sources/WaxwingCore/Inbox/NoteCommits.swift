import ConclaveProtocol
import MLS

/// What is remembered of the commits in the log, whether they count or not: by them a living branch of the group is told from a dead one.
extension ClientCore {
    /// What is kept of a leaf's encryption key.
    func mark(_ leafKey: [UInt8]) -> [UInt8] { Array(sha256(leafKey).prefix(CommitLog.markLength)) }

    /// What everybody can read of a commit; nil for what is no commit in a PublicMessage.
    func logged(_ summary: MessageSummary, by sender: ID, _ turn: Turn) throws -> LoggedCommit? {
        guard summary.contentType == .commit, let epoch = summary.epoch, let tag = summary.confirmationTag,
            let outline = summary.commit
        else { return nil }
        return LoggedCommit(
            epoch: epoch, tag: tag, isOurs: sender == (try account(turn).userID), author: outline.author?.value,
            leaf: outline.leafKey.map { mark($0) } ?? [], clears: outline.removes.map(\.value),
            hasReferences: outline.hasReferences)
    }

    func noteCommit(
        _ summary: MessageSummary, by sender: ID, isRefused: Bool = false, in group: ID, _ turn: inout Turn
    ) throws {
        guard var commit = try logged(summary, by: sender, turn) else { return }
        commit.isRefused = isRefused
        try turn.draft.note(commit, in: group)
    }

    /// Notes a commit that counts.
    ///
    /// - Parameter marks: of the leaves that end with it, as far as they are known.
    func noteMerged(
        _ staged: StagedCommit, _ row: InboxRow, replacing marks: [[UInt8]], in group: ID, _ turn: inout Turn
    ) throws {
        guard var commit = try logged(MLSMessage.summary(of: staged.message), by: row.sender, turn) else { return }
        commit.isValid = true
        commit.replaced = marks
        try turn.draft.note(commit, in: group)
    }

    // MARK: Without keys

    /// Keeps a commit as it is: when a GroupInfo has come, its signature tells whether it was made for that state of the group.
    func keepWitness(
        _ row: InboxRow, _ digest: [UInt8], epoch: UInt64, in group: ID, _ turn: inout Turn
    ) throws {
        guard row.message.count <= ClientLimits.witnessBytes else { return }
        turn.draft.put(.inbox, Keys.witness(group, epoch: epoch) + digest, row)
        let kept = try turn.draft.page(.inbox, prefix: Keys.witness(group))
        for old in kept.dropLast(ClientLimits.witnesses) { turn.draft.delete(.inbox, old.key) }
    }

    func forgetWitnesses(_ group: ID, _ turn: inout Turn) {
        turn.draft.deleteAll(.inbox, prefix: Keys.witness(group))
    }

    /// Whether a commit stands in the log that was made for the state that a GroupInfo shows: that state is over then.
    func isOver(_ view: OutsideView, in group: ID, _ turn: Turn) throws -> Bool {
        let kept = try turn.draft.page(.inbox, prefix: Keys.witness(group, epoch: view.epoch))
        for stored in kept where try view.hasCommit(InboxRow(stored: stored.value).message) { return true }
        // Of some only the tag was kept.
        return try turn.draft.membership(group).log[view.epoch].count > kept.count
    }

    /// A commit of the epoch that our external commit was built on stands before it in the log, and was made for the same state: ours is dead.
    /// One that was made for another branch is none of our concern.
    func rival(of summary: MessageSummary, _ message: [UInt8], in group: ID, _ turn: Turn) throws -> [UInt8]? {
        guard summary.contentType == .commit else { return nil }
        for (digest, staged) in try turn.draft.staged(group) {
            guard case .external = staged.purpose, staged.baseEpoch == summary.epoch else { continue }
            guard let way = staged.way else { return digest }
            if try OutsideView(groupInfo: way.groupInfo, crypto: crypto).hasCommit(message) { return digest }
        }
        return nil
    }
}
