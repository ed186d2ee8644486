import ConclaveProtocol

/// Welcomes wait until their readers say that they have stored the result.
extension Transaction {
    /// The oldest ones, as many as an answer may hold; the others follow once these are accepted.
    func listWelcomes(_ call: ServerCall) throws -> Answer {
        let lengths = try rows(
            "SELECT length(data) FROM welcome WHERE user_id = ? ORDER BY created_at, id", [call.user.blob]
        ).map { $0[0] as Int64 }
        var bytes: Int64 = 0
        let fitting = lengths.prefix { length in
            bytes += length
            return bytes <= ServerLimits.welcomeBytes
        }.count
        let rows = try rows(
            """
            SELECT chat.id, chat.alias, welcome.data, welcome.id
            FROM welcome JOIN chat ON chat.id = welcome.group_id
            WHERE welcome.user_id = ? ORDER BY welcome.created_at, welcome.id LIMIT ?
            """,
            [call.user.blob, max(1, fitting)])
        let response = WireListPendingWelcomesResponse.with {
            $0.welcomes = rows.map { row in
                WirePendingWelcome.with {
                    $0.groupID = row[0]
                    $0.groupAlias = row[1]
                    $0.welcomeMessage = row[2]
                    $0.welcomeID = row[3]
                }
            }
        }
        return try Answer(response)
    }

    func acceptWelcome(_ call: ServerCall) throws -> Answer {
        let gone = try row(
            "DELETE FROM welcome WHERE id = ? AND user_id = ? RETURNING id",
            [call.path.id().blob, call.user.blob])
        guard gone != nil else { throw APIError.notFound("there is no such welcome") }
        return Answer(204)
    }
}
