import ConclaveProtocol
import MLS

/// Leaving a group: the server takes us off its list, and a commit of ours says so to the members, under our own
/// signature. The list alone would only be the server's word, and no one removes a member for that.
extension ClientCore {
    /// Races that our commit may lose before we go without one.
    private static var racesLost: UInt32 { 4 }

    mutating func leave(
        _ row: OutboxRow, _ record: GroupRecord, _ token: SessionToken, _ turn: inout Turn
    ) throws -> LaneStep {
        guard let serverID = record.serverID else { return drop(row, &turn) }
        var farewell: StagedCommit?
        if record.status == .active, row.steps < Self.racesLost {
            do {
                farewell = try stagedFarewell(row, record, &turn)
            } catch is MLSError {
                // A group that makes no commits any more is left anyway.
            }
        }
        let call = Endpoint.leave(
            serverID, commit: farewell?.message ?? [], groupInfo: farewell?.groupInfo ?? [], token: token,
            idempotencyKey: key(row, farewell.map { sha256($0.message) } ?? []))
        start(.leave(call), call.request, row, &turn)
        return .rest
    }

    private mutating func stagedFarewell(
        _ row: OutboxRow, _ record: GroupRecord, _ turn: inout Turn
    ) throws -> StagedCommit {
        let known = try turn.draft.staged(record.id).first {
            $0.record.purpose == .outbox(order: row.order) && $0.record.baseEpoch == record.epoch
        }
        if let known { return try stagedCommit(known.record) }
        return try stage(
            [], for: .outbox(order: row.order), note: RemovalNote.leaving.authenticatedData, in: record, &turn)
    }

    /// The server does not let us go with this commit: we go with another one once the log is read, or without.
    mutating func farewellRefused(_ row: OutboxRow, _ error: ProtocolError, _ turn: inout Turn) throws {
        var row = row
        let isRace = error.code == .conflict
        if row.steps >= Self.racesLost {
            _ = fail(row, Trouble(error), &turn)
            return
        }
        for (digest, staged) in try turn.draft.staged(row.group) where staged.purpose == .outbox(order: row.order) {
            turn.draft.deleteStaged(row.group, digest: digest)
        }
        row.steps = isRace ? row.steps + 1 : Self.racesLost
        lanes[row.group].needsFetch = true
        delay(row, Trouble(error), &turn)
    }
}
