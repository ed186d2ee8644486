import ConclaveProtocol
import Foundation

/// Which commits are taken. Under strict ordering exactly one for each epoch, so that nobody builds on a dead branch.
extension Transaction {
    /// Appends a commit to the log if the ordering takes it, and its GroupInfo with it.
    ///
    /// - Throws: 400/100 for what is no commit of this group, 409/301 for a commit whose epoch is over (strict only).
    func takeCommit(_ commit: Data, groupInfo: Data, in group: GroupRow, from sender: ID) throws {
        let epoch: UInt64?
        switch configuration.ordering {
        case .strict:
            let header = try requireCommit(commit, of: group)
            try requireCurrentEpoch(header.epoch, in: group)
            epoch = header.epoch
        case .open:
            // Not looked at, but remembered as far as readable, for the day the server is started strict.
            let header = MLSHeader(commit).flatMap { $0.contentType == .commit ? $0.epoch : nil }
            epoch = Self.remembered(header, after: group.lastCommitEpoch)
        }
        try set(lastCommitEpoch: epoch, of: group.id)
        let sequence = try append(commit, to: group.id, from: sender)
        if configuration.ordering == .strict, let epoch {
            try note(takenCommit: epoch, at: sequence, of: group.id)
        }
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

    private func requireCurrentEpoch(_ epoch: UInt64, in group: GroupRow) throws {
        guard let last = group.lastCommitEpoch else { return }
        let (expected, overflow) = last.addingReportingOverflow(1)
        guard !overflow, epoch == expected else {
            throw APIError.conflict("the commit is for epoch \(epoch), the group is in epoch \(expected)")
        }
    }
}
