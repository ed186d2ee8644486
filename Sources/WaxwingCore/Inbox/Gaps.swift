import ConclaveProtocol
import MLS

/// What the log does not show, or no longer.
extension ClientCore {
    /// Lines for the messages that never came, of the last epoch but one. By now they are not merely late: whoever sends goes on with the group.
    ///
    /// Called once in each epoch, as it begins.
    func missingMessages(in group: OpenGroup) -> [SystemEvent] {
        guard let state = group.state, state.epoch >= 2, state.epoch - 2 >= group.record.joinedEpoch else { return [] }
        return state.missingMessages(inEpoch: state.epoch - 2).compactMap { missing in
            ID(missing.sender.identity).map { SystemEvent(.missing, actor: $0, count: missing.count) }
        }
    }

    /// A commit of a member stands in the log where another one stood before: the server was put back to an older backup, or shows people different logs.
    /// What was written behind the earlier one, others may never read.
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

    /// A row that is known stands in the log again at the number that it had, as the server counts now.
    ///
    /// - Parameter era: that it was known in. A copy that somebody posts has another time.
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

    /// Whether the log as it is now has left ours before an epoch: then what is of that epoch may have been written for people who followed the other.
    func isOfAnotherLog(_ epoch: UInt64, _ group: ID, _ turn: Turn) throws -> Bool {
        // One that never began to count anew cannot have.
        guard try turn.draft.group(group)?.era ?? 0 > 0 else { return false }
        return try turn.draft.membership(group).log.replacedEpoch.map { epoch > $0 } ?? false
    }
}
