import ConclaveProtocol
import GRDB

/// A group's row in the database, without its GroupInfo.
struct GroupRow {
    let id: ID
    let name: String
    let alias: String
    /// Lower-case hexadecimal; nil until a member named it.
    let mlsGroupID: String?
    /// -1 keeps messages, 0 deletes them once everyone fetched them, else seconds.
    let messageExpiry: Int64
    let isPublic: Bool
    let lastSequence: UInt64
    /// Epoch of the last commit that was accepted; nil before the first.
    let lastCommitEpoch: UInt64?
    /// The highest such epoch. It is above the last one if a GroupInfo has led back behind commits.
    let highestCommitEpoch: UInt64?
    /// The first commit whose confirmation tag was recorded: 0 for a group that has all of them, nil while there is
    /// none (``isOlderThanTags(_:of:)``).
    let tagsFrom: UInt64?

    static let columns = columns(of: "chat")
    static let columnCount = 10

    /// The columns of a table, or of its alias.
    static func columns(of table: String) -> String {
        [
            "id", "name", "alias", "mls_group_id", "message_expiry", "visibility", "last_sequence", "epoch",
            "highest_epoch", "tags_from",
        ].map { "\(table).\($0)" }.joined(separator: ", ")
    }

    init(_ row: Row) throws {
        id = try row.id(0)
        name = row[1]
        alias = row[2]
        mlsGroupID = row[3]
        messageExpiry = row[4]
        isPublic = row[5] == 2
        lastSequence = UInt64(max(0, row[6] as Int64))
        func epoch(_ column: Int) -> UInt64? { (row[column] as Int64?).map { UInt64(bitPattern: $0) } }
        (lastCommitEpoch, highestCommitEpoch, tagsFrom) = (epoch(7), epoch(8), epoch(9))
    }
}

extension Transaction {
    /// - Throws: 404/300.
    func group(_ id: ID) throws -> GroupRow {
        guard let row = try row("SELECT \(GroupRow.columns) FROM chat WHERE id = ?", [id.blob]) else {
            throw APIError.unknownGroup
        }
        return try GroupRow(row)
    }

    /// The group of the request's path, if its caller is a member.
    ///
    /// A group that does not exist has no members, and nobody learns more about it, except those who were in it when
    /// it was deleted.
    ///
    /// - Throws: 401/400, 404/300.
    func groupForMember(_ call: ServerCall) throws -> GroupRow {
        let id = try call.path.id()
        guard try role(of: call.user, in: id) != nil else {
            throw try wasDeleted(id, under: call.user) ? APIError.unknownGroup : APIError.notMember
        }
        return try group(id)
    }

    /// The group of the request's path, if its caller is an admin.
    ///
    /// Whoever is no member is no admin either, and nor is anyone of a group that does not exist.
    ///
    /// - Throws: 401/401, 404/300.
    func groupForAdmin(_ call: ServerCall) throws -> GroupRow {
        let id = try call.path.id()
        guard try role(of: call.user, in: id) == .admin else {
            throw try wasDeleted(id, under: call.user) ? APIError.unknownGroup : APIError.notAdmin
        }
        return try group(id)
    }

    func role(of user: ID, in group: ID) throws -> WireGroupRole? {
        let row = try row("SELECT role FROM member WHERE group_id = ? AND user_id = ?", [group.blob, user.blob])
        return row.flatMap { WireGroupRole(rawValue: $0[0]) }
    }

    func members(of group: ID) throws -> [ID] {
        try ids("SELECT user_id FROM member WHERE group_id = ?", [group.blob])
    }

    func members(of group: ID, except user: ID) throws -> [ID] {
        try ids("SELECT user_id FROM member WHERE group_id = ? AND user_id <> ?", [group.blob, user.blob])
    }

    func addMember(_ user: ID, to group: ID, role: WireGroupRole, awaitsExternalJoin: Bool = false) throws {
        try execute(
            """
            INSERT INTO member (group_id, user_id, role, joined_at, acknowledged, awaits_external_join)
            VALUES (?, ?, ?, ?, 0, ?)
            """,
            [group.blob, user.blob, role.rawValue, now, awaitsExternalJoin ? 1 : 0])
    }
}
