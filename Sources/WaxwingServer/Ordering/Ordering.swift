import ConclaveProtocol
import Foundation

/// Which commits are taken. Under strict ordering one is counted for each epoch, so that no one builds on a dead branch.
extension Transaction {
    /// Appends a commit to the log if the ordering takes it, and its GroupInfo with it.
    ///
    /// - Parameter rows: what the commit contests, where its epoch has a counted one (see ``Contest``).
    /// - Throws: 400/100 for what is no commit of this group, 409/301 for a commit whose epoch is over (strict only).
    func takeCommit(
        _ commit: Data, groupInfo: Data, in group: GroupRow, from sender: ID, contesting rows: [UInt64] = []
    ) throws {
        guard configuration.ordering == .strict else {
            return try takeAnyCommit(commit, groupInfo: groupInfo, in: group, from: sender)
        }
        let epoch = try requireCommit(commit, of: group).epoch
        if try isNext(epoch, in: group) || isAlone(sender, in: group.id) {
            try count(commit, of: epoch, groupInfo: groupInfo, in: group, from: sender)
        } else {
            try contest(rows, by: commit, of: epoch, in: group, from: sender)
        }
    }

    /// Appends a commit that an inviter left here, now that its invitee has accepted. Under strict ordering one that can no longer count is
    /// a line of the log and nothing more: the group goes on as it is, and the GroupInfo of the living branch stays.
    ///
    /// - Returns: whether the Welcome that goes with the commit may lead into the group.
    /// - Throws: 400/100 for what is no commit of this group (strict only).
    func takeEscrowedCommit(_ commit: Data, groupInfo: Data, in group: GroupRow, from inviter: ID) throws -> Bool {
        guard configuration.ordering == .strict else {
            try takeAnyCommit(commit, groupInfo: groupInfo, in: group, from: inviter)
            return true
        }
        let epoch = try requireCommit(commit, of: group).epoch
        let isOver = group.lastCommitEpoch.map { epoch <= $0 } ?? false
        if try isNext(epoch, in: group) || !isOver && isAlone(inviter, in: group.id) {
            try count(commit, of: epoch, groupInfo: groupInfo, in: group, from: inviter)
            return true
        }
        // One that runs ahead of the group would only look as though commits before it were missing.
        guard isOver else { return false }
        _ = try append(commit, to: group.id, from: inviter)
        return try wasSkipped(epoch, in: group.id)
    }

    private func takeAnyCommit(_ commit: Data, groupInfo: Data, in group: GroupRow, from sender: ID) throws {
        // Not looked at, but remembered as far as readable, for the day the server is started strict.
        let header = MLSHeader(commit).flatMap { $0.contentType == .commit ? $0.epoch : nil }
        try set(lastCommitEpoch: Self.remembered(header, after: group.lastCommitEpoch), of: group.id)
        _ = try append(commit, to: group.id, from: sender)
        if !groupInfo.isEmpty { try store(groupInfo: groupInfo, of: group.id) }
    }

    private func count(
        _ commit: Data, of epoch: UInt64, groupInfo: Data, in group: GroupRow, from sender: ID
    ) throws {
        try set(lastCommitEpoch: epoch, of: group.id)
        try note(takenCommit: epoch, at: append(commit, to: group.id, from: sender), of: group.id)
        if !groupInfo.isEmpty { try store(groupInfo: groupInfo, of: group.id) }
    }

    /// Takes a member's word, given as a fresh GroupInfo, for the epoch the group is in: the next commit is expected there.
    ///
    /// The server sees no more of a commit than its header, so junk can use up an epoch that the group never leaves. This
    /// is the way back, and forward again if the word was false. A refresh that crosses a good commit on its way opens
    /// that commit's epoch once more; the members then settle it by the order of the log. That takes a log which still
    /// has the commit: once it is gone, whoever missed it could go on without knowing, and split the group. So nobody goes
    /// back behind a commit that is no longer there for all to see. A GroupInfo that cannot be read or belongs to another
    /// MLS group moves nothing.
    ///
    /// - Throws: 409/301 for a GroupInfo from behind such a commit (strict only); the stored one stays.
    func refresh(groupInfo: Data, of group: GroupRow) throws {
        guard let header = GroupInfoHeader(groupInfo),
            group.mlsGroupID.map({ $0 == hexEncode(header.groupID) }) ?? true
        else {
            try store(groupInfo: groupInfo, of: group.id)
            return
        }
        if configuration.ordering == .strict, let last = group.lastCommitEpoch, header.epoch <= last,
            try hasLostCommit(of: header.epoch...last, in: group.id)
        {
            throw APIError.conflict(
                "the GroupInfo is of epoch \(header.epoch), and a later commit is gone from the log: rejoin")
        }
        try store(groupInfo: groupInfo, of: group.id)
        // Before epoch 0 there is no commit.
        try set(lastCommitEpoch: header.epoch == 0 ? nil : header.epoch - 1, of: group.id)
    }

    /// What a commit field must hold under strict ordering, whatever its epoch.
    ///
    /// - Throws: 400/100.
    func checkCommitField(_ commit: Data, of group: GroupRow) throws {
        guard configuration.ordering == .strict else { return }
        _ = try requireCommit(commit, of: group)
    }

    func store(groupInfo: Data, of group: ID) throws {
        try execute(
            """
            INSERT INTO group_info (group_id, data) VALUES (?, ?)
            ON CONFLICT (group_id) DO UPDATE SET data = excluded.data
            """,
            [group.blob, groupInfo])
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

    private func set(lastCommitEpoch epoch: UInt64?, of group: ID) throws {
        try execute("UPDATE chat SET epoch = ? WHERE id = ?", [epoch.map { Int64(bitPattern: $0) }, group.blob])
    }

    /// The last commit's epoch, once a commit with `header` is in the log of an open server. A leap is not believed: a
    /// single commit of a far epoch would leave no epoch that a strict start could go on with.
    private static func remembered(_ header: UInt64?, after last: UInt64?) -> UInt64? {
        guard let last else { return header }
        guard let header, header > last, header - last == 1 else { return last }
        return header
    }

    private func requireCommit(_ commit: Data, of group: GroupRow) throws -> MLSHeader {
        guard let header = MLSHeader(commit) else { throw APIError.badRequest("the commit is not an MLS message") }
        guard header.contentType == .commit else { throw APIError.badRequest("the MLS message is not a commit") }
        if let expected = group.mlsGroupID, hexEncode(header.groupID) != expected {
            throw APIError.badRequest("the commit belongs to another MLS group")
        }
        return header
    }

    /// Whether a commit of `epoch` is the one that the count waits for.
    private func isNext(_ epoch: UInt64, in group: GroupRow) throws -> Bool {
        guard let last = group.lastCommitEpoch else { return true }
        let (expected, overflow) = last.addingReportingOverflow(1)
        return !overflow && epoch == expected
    }

    /// Whether there is no one else who would have to follow a commit. Some clients take their commits before they are in the log: alone in
    /// a group, after an invite that was declined, they are ahead of what was counted, and theirs is the group all the same.
    private func isAlone(_ member: ID, in group: ID) throws -> Bool {
        // Who has not come in yet has nothing to follow with.
        try ids("SELECT user_id FROM member WHERE group_id = ? AND awaits_external_join = 0", [group.blob]) == [member]
    }
}
