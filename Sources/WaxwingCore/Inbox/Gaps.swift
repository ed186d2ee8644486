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
        _ row: InboxRow, _ lost: LostCommit, epoch: UInt64, in group: OpenGroup, _ turn: inout Turn
    ) throws {
        guard try turn.draft.membership(group.id).log.replacedEpoch == epoch, let author = ID(lost.committer.identity)
        else { return }
        wantName(of: author, turn)
        turn.draft.putHistory(
            HistoryRow(
                sequence: row.sequence, era: row.era, sender: author, time: row.time,
                content: .system([SystemEvent(.logReplaced, actor: author)]), epoch: epoch,
                digest: sha256(row.message)),
            in: group.record)
    }
}
