import ConclaveProtocol
import Foundation

/// A commit for an epoch that already has a counted one, sent by a member who refuses that one.
///
/// The server has no tree and no keys, so it may count a commit that no member can accept, and every honest commit
/// would come too late forever. A request with a commit can therefore name, in the header `Waxwing-Contests`, rows of
/// the log that its sender refused. If the counted row is among them, the commit is appended and the count stays: what
/// counts in the end is the first valid commit of the epoch in the log, as everywhere. Since the server cannot tell
/// which of the two lives, it keeps the GroupInfo it has; a member uploads the living one once the log has decided.
enum Contest {
    /// - Throws: 400/100 unless `header` is a list of at most ``ServerLimits/contestedRows`` numbers.
    static func rows(_ header: String?) throws -> [UInt64] {
        guard let header else { return [] }
        let fields = header.split(
            separator: ",", maxSplits: ServerLimits.contestedRows, omittingEmptySubsequences: false)
        let rows = fields.compactMap { UInt64($0.drop { $0 == " " }.prefix { $0 != " " }) }
        guard !rows.isEmpty, rows.count == fields.count, rows.count <= ServerLimits.contestedRows else {
            throw APIError.badRequest(
                "\(APIRequest.contestsHeader) holds 1 to \(ServerLimits.contestedRows) sequence numbers with commas between them"
            )
        }
        return rows
    }
}

extension Transaction {
    /// Appends a commit that contests the counted one of its epoch.
    ///
    /// - Throws: 409/301 if that is not among `rows`, is gone from the log, or was contested by this member often
    ///   enough.
    func contest(
        _ rows: [UInt64], by commit: Data, _ read: ReadCommit, in group: GroupRow, from sender: ID
    ) throws {
        let epoch = read.epoch
        guard let counted = try takenCommit(of: epoch, in: group.id), rows.contains(counted) else {
            let expected = group.lastCommitEpoch.map { $0 &+ 1 } ?? 0
            throw APIError.conflict("the commit is for epoch \(epoch), the group is in epoch \(expected)")
        }
        guard try contests(of: epoch, by: sender, in: group.id) < ServerLimits.contestsPerMember else {
            throw APIError.conflict("the commit of epoch \(epoch) was contested too often")
        }
        try note(contest: append(commit, read, to: group.id, from: sender), of: epoch, by: sender, in: group.id)
    }

    private func contests(of epoch: UInt64, by member: ID, in group: ID) throws -> Int {
        let row = try row(
            "SELECT count(*) FROM contest WHERE group_id = ? AND epoch = ? AND user_id = ?",
            [group.blob, Self.sortable(epoch), member.blob])
        return row?[0] ?? 0
    }

    private func note(contest sequence: UInt64, of epoch: UInt64, by member: ID, in group: ID) throws {
        try execute(
            "INSERT INTO contest (group_id, epoch, user_id, sequence) VALUES (?, ?, ?, ?)",
            [group.blob, Self.sortable(epoch), member.blob, Int64(clamping: sequence)])
    }
}
