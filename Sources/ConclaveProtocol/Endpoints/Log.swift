import FoundationEssentials

/// One row of a group's message log.
public struct LogRow: Hashable, Sendable {
    /// At least 1, increasing within a group.
    public var sequence: UInt64
    /// The user who posted it, as the server claims.
    public var sender: ID
    /// An encoded MLSMessage, not parsed yet. May be anything, even empty.
    public var message: [UInt8]
    /// Unix seconds by the server's clock.
    public var createdAt: UInt64

    public init(sequence: UInt64, sender: ID, message: [UInt8], createdAt: UInt64) {
        self.sequence = sequence
        self.sender = sender
        self.message = message
        self.createdAt = createdAt
    }
}

extension Endpoint {
    /// `GET /groups/{id}/messages`: rows above `after`, strictly ascending, at most `limit`. Refused: `notMember`.
    ///
    /// - Parameter limit: clamped to 1 ... ``ProtocolLimits/pageLength``.
    public static func messages(group: ID, after: UInt64, limit: Int, token: SessionToken) -> Call<[LogRow]> {
        let limit = min(max(limit, 1), ProtocolLimits.pageLength)
        let query = [APIRequest.QueryItem("after", "\(after)"), APIRequest.QueryItem("limit", "\(limit)")]
        return Call(get("/groups/\(group)/messages", query: query, token), lists: ListBounds(limit: limit)) {
            (answer: WireGetMessagesResponse) throws(InvalidMessage) in
            var rows: [LogRow] = []
            rows.reserveCapacity(answer.messages.count)
            for wire in answer.messages {
                guard wire.sequenceNum > rows.last?.sequence ?? after else {
                    throw InvalidMessage("the rows are not in rising order above \(after)")
                }
                rows.append(
                    LogRow(
                        // The sender of a row is only the server's claim. A bad one must not make the whole log
                        // unreadable.
                        sequence: wire.sequenceNum, sender: ID(wire.senderID) ?? .nobody,
                        message: Array(wire.mlsMessage), createdAt: wire.createdAt))
            }
            return rows
        }
    }

    /// `POST /groups/{id}/messages`: appends an encoded MLSMessage. Refused: `notMember`.
    ///
    /// - Returns: the row's sequence number, at least 1.
    public static func sendMessage(
        _ message: [UInt8], group: ID, token: SessionToken, idempotencyKey: String? = nil
    ) -> Call<UInt64> {
        var request = WireSendMessageRequest()
        request.mlsMessage = Data(message)
        return Call(post("/groups/\(group)/messages", request, token, idempotencyKey)) {
            (answer: WireSendMessageResponse) throws(InvalidMessage) in
            guard answer.sequenceNum > 0 else { throw InvalidMessage("the sequence number is 0") }
            return answer.sequenceNum
        }
    }

    /// `POST /groups/{id}/commit`: appends a commit and stores the GroupInfo of the epoch it makes. The answer does not
    /// tell the sequence number. Refused: `notMember`; `conflict` if the server keeps order and the commit's epoch is
    /// over.
    ///
    /// - Parameters:
    ///   - commit: empty to only refresh the GroupInfo.
    ///   - mlsGroupID: given with a group's first commit; the server keeps the first one.
    ///   - contests: see ``APIRequest/contests``.
    public static func uploadCommit(
        _ commit: [UInt8], groupInfo: [UInt8], mlsGroupID: [UInt8]? = nil, group: ID, token: SessionToken,
        idempotencyKey: String? = nil, contests: [UInt64] = []
    ) -> Call<Void> {
        var message = WireUploadCommitRequest()
        message.commitMessage = Data(commit)
        message.groupInfo = Data(groupInfo)
        message.mlsGroupID = hexEncode(mlsGroupID ?? [])
        return Call(post("/groups/\(group)/commit", message, token, idempotencyKey, contests: contests))
    }

    /// `POST /groups/{id}/external-join`: appends an external commit of a member on the roster. Stores no GroupInfo.
    /// Refused: `notMember`, `badRequest` (no GroupInfo stored).
    public static func externalJoin(
        commit: [UInt8], mlsGroupID: [UInt8], group: ID, token: SessionToken, idempotencyKey: String? = nil
    ) -> Call<Void> {
        var message = WireExternalJoinRequest()
        message.commitMessage = Data(commit)
        message.mlsGroupID = hexEncode(mlsGroupID)
        return Call(post("/groups/\(group)/external-join", message, token, idempotencyKey))
    }
}
