import ConclaveProtocol
import Foundation

/// Which commits are accepted. Under strict ordering one is counted for each epoch, so that no one builds on a dead
/// branch.
extension Transaction {
    /// Appends a commit to the log if the rules and the ordering allow it, and keeps its GroupInfo.
    ///
    /// - Parameter rows: what the commit contests, if its epoch has a counted one (see ``Contest``).
    /// - Throws: 400/100, 401/401 for what may not come in this way, or with this GroupInfo; 409/301 for a commit of a
    ///   past epoch (strict only).
    func takeCommit(
        _ commit: Data, groupInfo: Data, in group: GroupRow, from sender: ID, through door: CommitDoor,
        contesting rows: [UInt64] = []
    ) throws {
        let read = try judge(commit, of: group, through: door)
        let groupInfo = try judge(groupInfo: groupInfo, of: read)
        guard configuration.ordering == .strict, let read else {
            return try takeAnyCommit(commit, read, groupInfo: groupInfo, in: group, from: sender)
        }
        if try isNext(read.epoch, in: group) || isAlone(sender, in: group.id) {
            try count(commit, read, groupInfo: groupInfo, in: group, from: sender)
        } else {
            try contest(rows, by: commit, read, in: group, from: sender)
        }
    }

    /// The same for a commit of a member, whatever else the request does.
    func takeCommit(_ commit: Data, groupInfo: Data, in group: GroupRow, of call: ServerCall) throws {
        guard let role = try role(of: call.user, in: group.id) else { throw APIError.notMember }
        try takeCommit(
            commit, groupInfo: groupInfo, in: group, from: call.user, through: .member(role: role),
            contesting: call.contests)
    }

    /// Appends a commit that an inviter left here, now that its invitee has accepted. Under strict ordering, one that
    /// can no longer count is only a row of the log: the group goes on unchanged, and the GroupInfo of the living
    /// branch stays.
    ///
    /// - Returns: whether the commit's Welcome may lead into the group.
    /// - Throws: 400/100 for what is not a commit of this group.
    func takeEscrowedCommit(_ commit: Data, groupInfo: Data, in group: GroupRow, from inviter: ID) throws -> Bool {
        // It came from an admin when it was left here.
        let read = try judge(commit, of: group, through: .member(role: .admin))
        // One from before GroupInfos were checked may come with any GroupInfo.
        let groupInfo = try? judge(groupInfo: groupInfo, of: read)
        guard configuration.ordering == .strict, let read else {
            try takeAnyCommit(commit, read, groupInfo: groupInfo, in: group, from: inviter)
            return true
        }
        let isOver = group.lastCommitEpoch.map { read.epoch <= $0 } ?? false
        if try isNext(read.epoch, in: group) || !isOver && isAlone(inviter, in: group.id) {
            try count(commit, read, groupInfo: groupInfo, in: group, from: inviter)
            return true
        }
        // One that runs ahead of the group would only make it look as though commits before it were missing.
        guard isOver else { return false }
        _ = try append(commit, read, to: group.id, from: inviter)
        return try wasSkipped(read.epoch, in: group.id)
    }

    /// - Parameter read: nil for bytes that are not an MLS message.
    private func takeAnyCommit(
        _ commit: Data, _ read: ReadCommit?, groupInfo: Data?, in group: GroupRow, from sender: ID
    ) throws {
        // The epoch does not matter, but is remembered in case the server is later started with strict ordering.
        let epoch = Self.remembered(read?.epoch, after: group.lastCommitEpoch)
        try setCount(epoch, highest: epoch, of: group.id)
        guard let read else {
            _ = try append(commit, to: group.id, from: sender)
            return
        }
        _ = try append(commit, read, to: group.id, from: sender)
        if let groupInfo { try store(groupInfo: groupInfo, tag: read.confirmationTag, of: group.id, from: sender) }
    }

    private func count(
        _ commit: Data, _ read: ReadCommit, groupInfo: Data?, in group: GroupRow, from sender: ID
    ) throws {
        let isBehind = try !isAlone(sender, in: group.id) && group.highestCommitEpoch.map { read.epoch < $0 } ?? false
        try setCount(read.epoch, highest: isBehind ? group.highestCommitEpoch : read.epoch, of: group.id)
        let sequence = try append(commit, read, to: group.id, from: sender)
        try note(takenCommit: read.epoch, at: sequence, of: group.id)
        if let groupInfo { try store(groupInfo: groupInfo, tag: read.confirmationTag, of: group.id, from: sender) }
    }

    /// Appends a commit, and records what identifies its GroupInfo.
    func append(_ commit: Data, _ read: ReadCommit, to group: ID, from sender: ID) throws -> UInt64 {
        let sequence = try append(commit, to: group, from: sender)
        try note(tag: read.confirmationTag, of: read.epoch, at: sequence, in: group)
        return sequence
    }

    /// What the two fields of an escrowed invite must hold, whatever the epoch.
    ///
    /// - Throws: 400/100.
    func checkEscrow(_ commit: Data, groupInfo: Data, of group: GroupRow) throws {
        _ = try judge(groupInfo: groupInfo, of: judge(commit, of: group, through: .member(role: .admin)))
    }

    /// The MLS group id is set once; a later one changes nothing.
    ///
    /// - Returns: the group as it is afterwards.
    func name(mlsGroupID: String, of group: GroupRow) throws -> GroupRow {
        guard !mlsGroupID.isEmpty else { return group }
        try Validation.mlsGroupID(mlsGroupID)
        try execute(
            "UPDATE chat SET mls_group_id = ? WHERE id = ? AND mls_group_id IS NULL", [mlsGroupID, group.id.blob])
        return try self.group(group.id)
    }

    /// Believes in a GroupInfo of `epoch`. It may be behind the highest commit, which then stays what it is.
    func setCount(toGroupInfoOf epoch: UInt64, of group: GroupRow) throws {
        // Before epoch 0 there is no commit.
        let last = epoch == 0 ? nil : epoch - 1
        let isBehind = group.highestCommitEpoch.map { highest in last.map { $0 < highest } ?? true } ?? false
        try setCount(last, highest: isBehind ? group.highestCommitEpoch : last, of: group.id)
    }

    private func setCount(_ last: UInt64?, highest: UInt64?, of group: ID) throws {
        try execute(
            "UPDATE chat SET epoch = ?, highest_epoch = ? WHERE id = ?",
            [last.map { Int64(bitPattern: $0) }, highest.map { Int64(bitPattern: $0) }, group.blob])
    }

    /// The last commit's epoch, once a commit with `header` is in the log of an open server. A leap is not believed: a
    /// single commit of a far epoch would leave no epoch that a strict start could go on with.
    private static func remembered(_ header: UInt64?, after last: UInt64?) -> UInt64? {
        guard let last else { return header }
        guard let header, header > last, header - last == 1 else { return last }
        return header
    }

    /// Whether the count waits for a commit of `epoch`: after the last one, or after the highest, if a GroupInfo has
    /// led back behind that.
    private func isNext(_ epoch: UInt64, in group: GroupRow) throws -> Bool {
        guard let last = group.lastCommitEpoch else { return true }
        return [last, group.highestCommitEpoch ?? last].contains { $0.addingReportingOverflow(1) == (epoch, false) }
    }

    /// Whether there is no one else who would have to follow a commit. Some clients apply their commits before they are
    /// in the log. Alone in a group, after an invite was declined, they are ahead of what was counted, and theirs is
    /// the group all the same.
    func isAlone(_ member: ID, in group: ID) throws -> Bool {
        // A member who has not joined yet cannot follow.
        try ids("SELECT user_id FROM member WHERE group_id = ? AND awaits_external_join = 0", [group.blob]) == [member]
    }
}
