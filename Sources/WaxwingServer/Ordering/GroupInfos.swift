import ConclaveProtocol
import Foundation
import MLSReading

/// The GroupInfos of a group, which joiners from outside build on. The last ``ServerLimits/groupInfos`` are kept, one for
/// each confirmation tag, and members are given the newest.
extension Transaction {
    /// - Parameter tag: whose GroupInfo is wanted; nil for the newest.
    func groupInfo(of group: ID, tag: Data? = nil) throws -> Data? {
        let row = try row(
            """
            SELECT data FROM group_info WHERE group_id = ?1 AND (?2 IS NULL OR tag = ?2) ORDER BY number DESC LIMIT 1
            """,
            [group.blob, tag])
        return row?[0]
    }

    func getGroupInfo(_ call: ServerCall) throws -> Answer {
        let group = try groupForMember(call)
        var tag: Data?
        if let digits = call.query["tag"] {
            guard let bytes = hexDecode(digits.utf8) else { throw MalformedQuery(name: "tag") }
            tag = Data(bytes)
        }
        guard let data = try groupInfo(of: group.id, tag: tag) else {
            throw APIError.notFound(tag == nil ? "no GroupInfo is stored" : "no GroupInfo with that tag is stored")
        }
        return try Answer(WireGetGroupInfoResponse.with { $0.groupInfo = data })
    }

    func store(groupInfo: Data, tag: Data, of group: ID, from sender: ID) throws {
        try execute("DELETE FROM group_info WHERE group_id = ? AND tag = ?", [group.blob, tag])
        try execute(
            "INSERT INTO group_info (group_id, tag, data, user_id) VALUES (?, ?, ?, ?)",
            [group.blob, tag, groupInfo, sender.blob])
        try execute(
            """
            DELETE FROM group_info WHERE group_id = ?1 AND number <= (
                SELECT number FROM group_info WHERE group_id = ?1 ORDER BY number DESC LIMIT 1 OFFSET \(ServerLimits.groupInfos))
            """,
            [group.blob])
    }

    /// Checks a GroupInfo against the commit that it comes with.
    ///
    /// - Returns: nil if there is none to keep: it is empty, or the server cannot read the commit (open only).
    /// - Throws: 400/100 unless it shows the state that the commit leads to.
    func judge(groupInfo: Data, of commit: ReadCommit?) throws -> Data? {
        guard let commit, !groupInfo.isEmpty else { return nil }
        guard let info = try? GroupInfoOutline(groupInfo), info.groupID == commit.groupID,
            info.epoch.subtractingReportingOverflow(1) == (commit.epoch, false),
            Data(info.confirmationTag) == commit.confirmationTag
        else { throw APIError.badRequest("the GroupInfo is not of the state that the commit leads to") }
        return groupInfo
    }

    /// Accepts a GroupInfo without a commit, and with it a member's claim about the epoch the group is in: the next
    /// commit is expected there.
    ///
    /// It must show a state that a commit in the log led to, by its confirmation tag. The server cannot tell which of
    /// several such states lives: a broken commit can use up an epoch that the group never leaves, and this is the way
    /// back. A refresh that crosses a good commit on its way opens that commit's epoch again; the members then settle
    /// it by the order of the log. That needs a log which still has the commit: once it is gone, a member who missed it
    /// could go on without knowing, and split the group. So no one can go back behind a commit that is no longer there
    /// for all to see. Going back takes nothing from those who are further ahead: what comes after the highest epoch
    /// counts as before.
    ///
    /// A server that was restored from an older backup does not know the latest commits. It believes in a state beyond
    /// the last commit it knows once two members report it, or an admin, or the only member. A single member's report
    /// is only remembered.
    ///
    /// - Throws: 400/100 for what is not a GroupInfo of this group. 409/301 (strict only) for a GroupInfo from behind a
    ///   commit that is gone, or of a state that no commit led to in past epochs; the stored one stays.
    func refresh(groupInfo: Data, of group: GroupRow, by member: ID) throws {
        guard let info = try? GroupInfoOutline(groupInfo) else { throw APIError.badRequest("this is no GroupInfo") }
        guard group.mlsGroupID.map({ $0 == hexEncode(info.groupID) }) ?? true else {
            throw APIError.badRequest("the GroupInfo belongs to another MLS group")
        }
        guard ServerLimits.confirmationTagBytes.contains(info.confirmationTag.count) else {
            throw APIError.badRequest("the GroupInfo has no confirmation tag of a known length")
        }
        guard
            try isKnown(tag: info.confirmationTag, into: info.epoch, of: group.id)
                || isBelieved(info, of: group, by: member)
        else { return }
        if configuration.ordering == .strict, let last = group.lastCommitEpoch, info.epoch <= last,
            try hasLostCommit(of: info.epoch...last, in: group.id)
        {
            throw APIError.conflict(
                "the GroupInfo is of epoch \(info.epoch), and a later commit is gone from the log: rejoin")
        }
        try store(groupInfo: groupInfo, tag: Data(info.confirmationTag), of: group.id, from: member)
        try setCount(toGroupInfoOf: info.epoch, of: group)
    }

    /// Whether a member's claim is enough for a state that no commit led to as far as the server knows.
    ///
    /// - Throws: 409/301 (strict only) if the group has gone past that epoch by other commits.
    private func isBelieved(_ info: GroupInfoOutline, of group: GroupRow, by member: ID) throws -> Bool {
        if try !isAlone(member, in: group.id) {
            let (isAhead, isLeap) = try reach(of: info.epoch, in: group)
            if !isLeap, try isOlderThanTags(info.epoch, of: group) { return true }
            guard isAhead else {
                guard configuration.ordering == .strict else { return false }
                throw APIError.conflict("no commit in the log leads to that GroupInfo of epoch \(info.epoch)")
            }
            guard try role(of: member, in: group.id) == .admin || isVouched(for: info, in: group.id, by: member) else {
                return false
            }
        }
        // From now on it is known, whoever brings it.
        if info.epoch > 0 {
            try note(tag: Data(info.confirmationTag), of: info.epoch - 1, at: group.lastSequence, in: group.id)
        }
        return true
    }

    /// Whether an epoch is beyond what the last commit led to, and whether it is further than that of a member who is a
    /// little ahead, in a group whose last commit can still be read.
    private func reach(of epoch: UInt64, in group: GroupRow) throws -> (isAhead: Bool, isLeap: Bool) {
        guard let last = group.highestCommitEpoch else { return (true, false) }
        guard epoch > last, epoch - last > 1 else { return (false, false) }
        let isLeap = epoch - last - 1 > ServerLimits.epochsAhead
        return (true, try isLeap && takenCommit(of: last, in: group.id) != nil)
    }

    /// Records what `member` reports, and checks whether two members have reported the same. A member who has not
    /// joined yet has no say.
    private func isVouched(for info: GroupInfoOutline, in group: ID, by member: ID) throws -> Bool {
        let claim = (epoch: Self.sortable(info.epoch), tag: Data(info.confirmationTag))
        try execute(
            """
            INSERT INTO vouch (group_id, user_id, epoch, tag) VALUES (?, ?, ?, ?)
            ON CONFLICT (group_id, user_id) DO UPDATE SET epoch = excluded.epoch, tag = excluded.tag
            """,
            [group.blob, member.blob, claim.epoch, claim.tag])
        let row = try row(
            """
            SELECT count(*) FROM vouch JOIN member USING (group_id, user_id)
            WHERE group_id = ? AND epoch = ? AND tag = ? AND awaits_external_join = 0
            """,
            [group.blob, claim.epoch, claim.tag])
        return (row?[0] ?? 0) >= ServerLimits.vouchingMembers
    }
}
