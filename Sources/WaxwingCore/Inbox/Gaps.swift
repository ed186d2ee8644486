import ConclaveProtocol
import MLS

/// What the log does not show, or no longer shows.
extension ClientCore {
    /// Lines for messages of the last epoch but one that never came. By now they are not merely late: their senders
    /// have moved on with the group.
    ///
    /// Called once in each epoch, as it begins.
    func missingMessages(in group: OpenGroup) -> [SystemEvent] {
        guard let state = group.state, state.epoch >= 2, state.epoch - 2 >= group.record.joinedEpoch else { return [] }
        return state.missingMessages(inEpoch: state.epoch - 2).compactMap { missing in
            ID(missing.sender.identity).map { SystemEvent(.missing, actor: $0, count: missing.count) }
        }
    }

    /// A commit of a member is in the log where another one was before: the server was restored to an older backup, or
    /// shows people different logs. Others may never read what was written after the earlier one.
    mutating func noteReplaced(
        _ row: InboxRow, _ summary: MessageSummary, by committer: Member, in group: OpenGroup, _ turn: inout Turn
    ) throws {
        guard let epoch = summary.epoch, let tag = summary.confirmationTag, let author = ID(committer.identity) else {
            return
        }
        var membership = try turn.draft.membership(group.id)
        let wasReplaced = membership.log.replacedEpoch != nil
        membership.log.noteSigned(tag: tag, of: epoch)
        turn.draft.put(membership, for: group.id)
        guard !wasReplaced, membership.log.replacedEpoch == epoch else { return }
        wantName(of: author, turn)
        turn.draft.putLine(
            [SystemEvent(.logReplaced, actor: author)], of: row, sha256(row.message), by: author, epoch: epoch,
            in: group.record)
    }

    /// A known row is in the log again, at the number it had, in the present numbering.
    ///
    /// - Parameter era: the numbering in which it was known. A copy that someone posts has another time.
    func noteAgain(_ row: InboxRow, from era: UInt32, in group: ID, _ turn: inout Turn) throws {
        guard let summary = try? MLSMessage.summary(of: row.message), summary.contentType == .commit,
            let epoch = summary.epoch, let tag = summary.confirmationTag,
            let line: HistoryRow = try turn.draft.record(
                .history, Keys.history(group, era: era, sequence: row.sequence)), line.time == row.time
        else { return }
        var membership = try turn.draft.membership(group)
        guard membership.log.move(tag: tag, of: epoch, to: .init(era: row.era, sequence: row.sequence)) else { return }
        turn.draft.put(membership, for: group)
    }

    /// Whether the present log left ours before an epoch: then what is of that epoch may have been written for people
    /// who followed the other log.
    func isOfAnotherLog(_ epoch: UInt64, _ group: ID, _ turn: Turn) throws -> Bool {
        // A log that was never numbered again cannot have.
        guard try turn.draft.group(group)?.era ?? 0 > 0 else { return false }
        return try turn.draft.membership(group).log.replacedEpoch.map { epoch > $0 } ?? false
    }
}
