import ConclaveProtocol
import MLS

/// Remembers the commits in the log, whether they count or not: they tell a living branch of the group from a dead one.
extension ClientCore {
    /// What is kept of a leaf's encryption key.
    func mark(_ leafKey: [UInt8]) -> [UInt8] { Array(sha256(leafKey).prefix(CommitLog.markLength)) }

    /// What everyone can read of a commit; nil for anything but a commit in a PublicMessage.
    func logged(_ summary: MessageSummary, _ row: InboxRow, _ turn: Turn) throws -> LoggedCommit? {
        // Nothing of it is verified, so what is kept of it is bounded.
        guard summary.contentType == .commit, let epoch = summary.epoch, let tag = summary.confirmationTag,
            tag.count <= ClientLimits.confirmationTag, let outline = summary.commit
        else { return nil }
        let isLong = outline.removes.count > ClientLimits.loggedRemoves
        return LoggedCommit(
            epoch: epoch, tag: tag, place: LoggedCommit.Place(era: row.era, sequence: row.sequence),
            isOurs: row.sender == (try account(turn).userID), author: outline.author?.value,
            leaf: outline.leafKey.map { mark($0) } ?? [], clears: isLong ? [] : outline.removes.map(\.value),
            hasReferences: outline.hasReferences || isLong)
    }

    func noteCommit(
        _ summary: MessageSummary, _ row: InboxRow, isRefused: Bool = false, in group: ID, _ turn: inout Turn
    ) throws {
        guard var commit = try logged(summary, row, turn) else { return }
        commit.isRefused = isRefused
        try turn.draft.note(commit, in: group)
    }

    /// Notes a commit that counts.
    ///
    /// - Parameters:
    ///   - marks: of the leaves that end with it, as far as they are known.
    ///   - isSure: no row is missing after which another commit may have counted.
    func noteMerged(
        _ staged: StagedCommit, _ row: InboxRow, replacing marks: [[UInt8]], isSure: Bool = true, in group: ID,
        _ turn: inout Turn
    ) throws {
        guard var commit = try logged(MLSMessage.summary(of: staged.message), row, turn) else { return }
        commit.isValid = isSure
        commit.replaced = marks
        try turn.draft.note(commit, in: group)
    }

    // MARK: Without keys

    /// Without keys, nothing can be opened or verified. But which commits are in the log tells whether an external
    /// commit can count.
    mutating func lookForOurPlace(
        _ row: InboxRow, _ digest: [UInt8], _ summary: MessageSummary, in group: OpenGroup, _ turn: inout Turn
    ) throws {
        let epoch = summary.epoch ?? 0
        if summary.contentType == .commit {
            try noteCommit(summary, row, in: group.id, &turn)
            try keepWitness(row, digest, epoch: epoch, in: group.id, &turn)
        } else if summary.contentType == .application, !group.record.mlsGroupID.isEmpty,
            epoch >= group.record.joinedEpoch
        {
            try keepUnreadable(row, digest, .lostState, epoch: epoch, in: group, &turn)
        }
    }

    /// Keeps a commit as it is: once a GroupInfo has come, its signature tells whether the commit was made for that
    /// state of the group.
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

    private func witnesses(in group: ID, epoch: UInt64, _ turn: Turn) throws -> [[UInt8]] {
        try turn.draft.page(.inbox, prefix: Keys.witness(group, epoch: epoch)).map {
            try InboxRow(stored: $0.value).message
        }
    }

    /// Whether a commit was kept that was made for the state that a GroupInfo shows.
    func hasWitness(to view: OutsideView, in group: ID, _ turn: Turn) throws -> Bool {
        try witnesses(in: group, epoch: view.epoch, turn).contains { view.hasCommit($0) }
    }

    /// Whether a commit is in the log that was made for the state that a GroupInfo shows: then that state is over.
    func isOver(_ view: OutsideView, in group: ID, _ turn: Turn) throws -> Bool {
        let kept = try witnesses(in: group, epoch: view.epoch, turn)
        if kept.contains(where: { view.hasCommit($0) }) { return true }
        // For some, only the tag was kept.
        return try turn.draft.membership(group).log[view.epoch].count > kept.count
    }

    /// A commit that comes before ours in the log and was made for the same state as our external commit: then ours is
    /// dead. A commit made for another branch does not concern us.
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
