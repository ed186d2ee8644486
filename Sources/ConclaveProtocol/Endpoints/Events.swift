/// The result of long-polling for events.
public struct EventBatch: Hashable, Sendable {
    /// Oldest first. Events of kinds this version does not know are left out.
    public var hints: [ServerHint]
    /// The cursor for the next poll. The server-sent event with this id is the last one the server has looked at.
    public var cursor: String
    /// The minimum number of lost events, because the cursor was from too long ago. If it is above 0, everything has to
    /// be fetched again.
    public var missed: UInt64

    public init(hints: [ServerHint], cursor: String, missed: UInt64) {
        self.hints = hints
        self.cursor = cursor
        self.missed = missed
    }
}

extension Endpoint {
    /// The event feed, a stream of server-sent events: see ``ServerHint/decode(hexFrame:)``.
    public static func events(token: SessionToken) -> APIRequest { APIRequest(.get, "\(base)/events", token: token) }

    /// `GET /events/poll`: the events after a cursor, by long-polling. A Waxwing extension: other servers answer 404.
    ///
    /// - Parameters:
    ///   - cursor: of the last answer, or the id of a server-sent event. With nil the server answers at once with no
    ///     events and the current cursor.
    ///   - seconds: how long the server should wait for a first event. It may have a limit of its own.
    public static func pollEvents(after cursor: String?, wait seconds: Int, token: SessionToken) -> Call<EventBatch> {
        var query = [APIRequest.QueryItem("wait", "\(max(0, seconds))")]
        if let cursor { query.insert(APIRequest.QueryItem("after", cursor), at: 0) }
        return Call(
            get("/events/poll", query: query, token), lists: ListBounds(limit: ProtocolLimits.polledEvents)
        ) { (answer: WirePollEventsResponse) throws(InvalidMessage) in
            // It goes into the next request.
            guard (1...ProtocolLimits.eventCursor).contains(answer.nextCursor.utf8.count),
                answer.nextCursor.utf8.allSatisfy({ (0x21...0x7e).contains($0) })
            else { throw InvalidMessage("the cursor is not visible ASCII") }
            guard answer.events.isEmpty || answer.nextCursor != cursor else {
                throw InvalidMessage("there are events, but the cursor stands still")
            }
            return EventBatch(
                hints: answer.events.compactMap { ServerHint.decode(bytes: $0) }, cursor: answer.nextCursor,
                missed: answer.missed)
        }
    }
}

extension APIResponse {
    /// The highest sequence number in a page of a group's log; nil if `request` asked for something else or there is no
    /// row.
    ///
    /// For finding out whether there is traffic: nothing else about the answer is checked.
    public func lastSequence(answering request: APIRequest) -> UInt64? {
        guard request.method == .get, request.path.hasSuffix("/messages"), status == 200, !body.isEmpty,
            (try? ListBounds(limit: ProtocolLimits.pageLength).check(body)) != nil,
            let page = try? WireGetMessagesResponse(serializedBytes: body)
        else { return nil }
        return page.messages.map(\.sequenceNum).max()
    }
}
