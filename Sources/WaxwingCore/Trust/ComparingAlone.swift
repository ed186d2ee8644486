package import ConclaveProtocol
import MLS

extension ClientCore {
    /// Only the comparison that follows when a commit has added the last member of a group's tree: what was known is
    /// read, the whole tree is compared with it, and what is known now is written. For the benchmark, which may commit
    /// the changes.
    package mutating func compareTree(of id: ID, now: Moment) throws -> ChangeSet {
        var turn = Turn(draft: Draft(store: store, base: try store.revision(), decoded: decoded), now: now)
        guard var record = try turn.draft.group(id), let state = try takeGroup(id, turn) else {
            throw CoreError.unknownGroup
        }
        defer { groups.put(id, state) }
        guard var known = try room(of: record, state, &turn), let newest = known.leaves.popLast(),
            let added = state.member(identity: newest.user.bytes),
            let committer = newest.by.flatMap({ state.member(identity: $0.bytes) })
        else { throw CoreError.notAddedByCommit }
        turn.draft.decoded.rooms[id] = known
        var changes = CommitChanges()
        changes.added = [added]
        _ = try enterRoom(
            state, by: .commit(changes, committer: committer, proposers: [:]), after: known, in: &record, time: 0,
            &turn)
        decoded = turn.draft.decoded
        return turn.draft.changes
    }
}
