import ConclaveProtocol
import Foundation

/// The log of a group: one sequence of everything that was sent to it, including commits.
extension Transaction {
    /// The new row's sequence number, one more than any this group has given out.
    func append(_ data: Data, to group: ID, from sender: ID) throws -> UInt64 {
        let row = try row(
            "UPDATE chat SET last_sequence = last_sequence + 1 WHERE id = ? RETURNING last_sequence", [group.blob])
        guard let sequence: Int64 = row?[0] else { throw APIError.unknownGroup }
        try execute(
            "INSERT INTO message (group_id, sequence, sender_id, data, created_at) VALUES (?, ?, ?, ?, ?)",
            [group.blob, sequence, sender.blob, data, now])
        return UInt64(sequence)
    }

    /// Messages of any epoch are accepted: members who keep past epochs can still read a late one.
    func sendMessage(_ call: ServerCall) throws -> Answer {
        let request = try call.message(WireSendMessageRequest.self)
        let group = try groupForMember(call)
        guard !request.mlsMessage.isEmpty else { throw APIError.badRequest("the message is empty") }
        try requireRoom(for: request.mlsMessage.count, of: call.user)
        try judge(message: request.mlsMessage, of: group, from: call.user)
        let sequence = try append(request.mlsMessage, to: group.id, from: call.user)
        try announce(
            .newMessage(in: group.id, sequence: sequence, sender: call.user),
            to: try members(of: group.id, except: call.user))
        return try Answer(WireSendMessageResponse.with { $0.sequenceNum = sequence })
    }

    func getMessages(_ call: ServerCall) throws -> Answer {
        var page = try MessagePage(call.query)
        let group = try groupForMember(call)
        try fit(&page, of: group.id)
        let rows = try rows(
            """
            SELECT sequence, sender_id, data, created_at FROM message
            WHERE group_id = ? AND sequence > ? ORDER BY sequence LIMIT ?
            """,
            [group.id.blob, page.after, page.limit])
        let response = WireGetMessagesResponse.with {
            $0.messages = rows.map { row in
                WireStoredMessage.with {
                    $0.sequenceNum = UInt64(bitPattern: row[0] as Int64)
                    $0.senderID = row[1]
                    $0.mlsMessage = row[2]
                    $0.createdAt = UInt64(bitPattern: row[3] as Int64)
                }
            }
        }
        return try Answer(response)
    }

    /// Uses only lengths, which SQLite returns without reading the messages. A page of one message always fits.
    ///
    /// - Throws: `OversizePage` if the page must not be cut short.
    private func fit(_ page: inout MessagePage, of group: ID) throws {
        guard page.limit > 1 else { return }
        let lengths = try rows(
            "SELECT length(data) FROM message WHERE group_id = ? AND sequence > ? ORDER BY sequence LIMIT ?",
            [group.blob, page.after, page.limit]
        ).map { $0[0] as Int64 }
        var bytes: Int64 = 0
        let fitting = lengths.prefix { length in
            bytes += length
            return bytes <= ServerLimits.pageBytes
        }.count
        guard fitting < lengths.count else { return }
        guard page.mayBeShort else { throw OversizePage() }
        page.limit = max(1, fitting)
    }
}

/// Answered with 413 in plain text: a client that asked for a number of messages takes a shorter page for the end of
/// the log, so it must ask for fewer.
struct OversizePage: Error, CustomStringConvertible {
    var description: String {
        "these messages have more than \(ServerLimits.pageBytes) bytes; ask with a smaller limit"
    }
}

/// The `after` and `limit` of a fetch.
struct MessagePage: Hashable {
    /// Sequence numbers above this one; capped at what a row can have.
    let after: Int64
    var limit: Int
    /// If no number of messages was asked for, a shorter page is no sign of the log's end.
    let mayBeShort: Bool

    /// A limit below 0 asks for all there are, as it does on other servers.
    ///
    /// - Throws: `MalformedQuery` for what is not a number, 400/100 for a limit of 0.
    init(_ query: [String: String]) throws {
        guard let after = UInt64(query["after"] ?? "0") else { throw MalformedQuery(name: "after") }
        self.after = Int64(clamping: after)
        guard let text = query["limit"] else {
            (limit, mayBeShort) = (ServerLimits.messagesPerPage, true)
            return
        }
        guard let limit = Int(text) else { throw MalformedQuery(name: "limit") }
        guard limit != 0 else { throw APIError.badRequest("limit is at least 1") }
        self.limit = limit < 0 ? ServerLimits.messagesPerPageMax : min(limit, ServerLimits.messagesPerPageMax)
        mayBeShort = limit < 0
    }
}
