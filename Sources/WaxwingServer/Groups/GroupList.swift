import ConclaveProtocol
import Foundation
import GRDB

/// All groups of a user with all their members: one query, whatever their number.
extension Transaction {
    func listGroups(_ call: ServerCall) throws -> Answer {
        let page = try ListPage(call.query, max: ServerLimits.groupsPerPageMax)
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT \(GroupRow.columns(of: "chat")),
                        user.id, user.username, user.alias, member.role, user.fingerprint
                    FROM chat JOIN member ON member.group_id = chat.id JOIN user ON user.id = member.user_id
                    WHERE chat.id IN (
                        SELECT id FROM chat WHERE id IN (SELECT group_id FROM member WHERE user_id = ?) AND name > ?
                        ORDER BY name LIMIT ?)
                    ORDER BY chat.name, user.username
                    """),
            arguments: [call.user.blob, page.after ?? "", page.limit ?? -1])
        var groups: [WireGroupInfo] = []
        while let row = try rows.next() {
            let id = try row.data(0)
            if groups.last?.groupID != id { groups.append(try Self.info(of: GroupRow(row))) }
            groups[groups.count - 1].members.append(Self.member(row, from: GroupRow.columnCount))
        }
        var answer = try Answer(WireListGroupsResponse.with { $0.groups = groups })
        if let limit = page.limit, groups.count == limit { answer.next = groups.last?.groupName }
        return answer
    }

    /// Members sorted by username; only those of one role if one is given.
    func roster(of group: ID, role: WireGroupRole? = nil) throws -> [WireGroupMember] {
        let lowestRole = role?.rawValue ?? WireGroupRole.member.rawValue
        let rows = try rows(
            """
            SELECT user.id, user.username, user.alias, member.role, user.fingerprint
            FROM member JOIN user ON user.id = member.user_id
            WHERE member.group_id = ? AND member.role >= ? ORDER BY user.username
            """,
            [group.blob, lowestRole])
        return rows.map { Self.member($0, from: 0) }
    }

    private static func info(of group: GroupRow) -> WireGroupInfo {
        WireGroupInfo.with {
            $0.groupID = group.id.blob
            $0.alias = group.alias
            $0.groupName = group.name
            $0.mlsGroupID = group.mlsGroupID ?? ""
            $0.messageExpirySeconds = group.messageExpiry
            $0.visibility = group.isPublic ? .public : .private
        }
    }

    private static func member(_ row: Row, from column: Int) -> WireGroupMember {
        WireGroupMember.with {
            $0.userID = row[column]
            $0.username = row[column + 1]
            $0.alias = row[column + 2]
            $0.role = WireGroupRole(rawValue: row[column + 3]) ?? .member
            $0.signingKeyFingerprint = row[column + 4]
        }
    }
}
