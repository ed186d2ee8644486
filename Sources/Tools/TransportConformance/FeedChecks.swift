import ConclaveProtocol
import WaxwingCore

extension TransportConformance {
    private typealias Feed = AsyncThrowingStream<FeedEvent, any Error>

    private func hint(_ sequence: UInt64) -> FeedEvent {
        .event(.newMessage(group: FeedStory.group, sequence: sequence, sender: FeedStory.group))
    }

    /// Everything a feed says, and the error with which it ends.
    private func all(_ feed: Feed) async -> (events: [FeedEvent], error: TransportError?) {
        var events: [FeedEvent] = []
        do {
            for try await event in feed { events.append(event) }
            return (events, nil)
        } catch {
            return (events, error as? TransportError)
        }
    }

    private func expect(_ events: [FeedEvent], _ expected: [FeedEvent]) throws {
        try expect(events == expected, "the feed says \(expected), and not \(events)")
    }

    private func expect(_ cause: TransportError.Cause, _ error: TransportError?) throws {
        try expect(
            error?.cause == cause, "the feed ends because of \(cause.rawValue), and not \(error?.reason ?? "well")")
        try expect(error?.reason.contains("t0ken") == false, "the reason does not quote the token")
    }

    func eventsInOrder() async throws {
        let more = try [FeedStory.unknownEvent, FeedStory.event(3), FeedStory.event(4), FeedStory.unknownEvent]
        let story = try FeedStory(
            .events([FeedStory.event(1)]), .events([FeedStory.event(2)]), .events([FeedStory.unknownEvent]),
            .events(more), .events([FeedStory.event(5)]), .cut(Signal()))
        let server = try story.server()
        let (events, error) = await all(try make(server.url).events(token: "t0ken"))
        try expect(events, [.opened, hint(1), hint(2), hint(3), hint(4), hint(5)])
        try expect(.connectionLost, error)
        let asked = server.requests.filter { $0.line.hasPrefix("GET /api/v1/events") }
        try expect(
            asked.allSatisfy { $0.headers["authorization"] == "Bearer t0ken" }, "the token came with each request")
    }

    func aGapIsTold() async throws {
        let story = try FeedStory(.events([FeedStory.event(1)]), .gap, .events([FeedStory.event(9)]), .cut(Signal()))
        let server = try story.server()
        try expect(await all(try make(server.url).events(token: "t0ken")).events, [.opened, hint(1), .lagged, hint(9)])
    }

    func requestsBesideAFeed() async throws {
        let go = Signal()
        let server = try FeedStory(
            .hold(go), .events([FeedStory.event(1)]), .stall(arrived: Signal(), left: Signal())
        ).server()
        let transport = try make(server.url)
        var iterator = transport.events(token: "t0ken").makeAsyncIterator()
        let first = try await iterator.next()
        try expect(first == .opened, "a feed begins with `opened`")
        for number in 0..<10 as Range<UInt8> {
            let answer = try await transport.send(APIRequest(.post, "/x", body: [number]))
            try expect(answer.body == [number], "requests are answered while a feed is open")
        }
        go.fire()
        let second = try await iterator.next()
        try expect(second == hint(1), "the feed goes on beside requests")
    }

    func aFeedThatIsCut() async throws {
        let server = try FeedStory(.events([FeedStory.event(1)]), .cut(Signal())).server()
        let (events, error) = await all(try make(server.url).events(token: "t0ken"))
        try expect(events, [.opened, hint(1)])
        try expect(.connectionLost, error)
    }

    func aFeedThatStalls() async throws {
        let server = try FeedStory(.events([FeedStory.event(1)]), .stall(arrived: Signal(), left: Signal())).server()
        let (events, error) = await all(try make(server.url).events(token: "t0ken"))
        try expect(events, [.opened, hint(1)])
        try expect(.timeout, error)
    }

    func aFeedFromNowhere() async throws {
        let url = "http://127.0.0.1:\(try ScriptedServer.unusedPort())"
        let (events, error) = await all(try make(url).events(token: "t0ken"))
        try expect(events, [])
        try expect(.unreachable, error)
        try expect(error?.outcome == .notSent, "nothing was sent")
    }

    func aPortalIsNoFeed() async throws {
        let server = try ScriptedServer(answering: { _, connection in connection.answerLikeAPortal() })
        let (events, error) = await all(try make(server.url).events(token: "t0ken"))
        try expect(events, [])
        try expect(.badAnswer, error)
    }

    func aFeedForLater() async throws {
        let server = try ScriptedServer(answering: { _, connection in
            connection.write("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 30\r\nContent-Length: 0\r\n\r\n")
        })
        let (events, error) = await all(try make(server.url).events(token: "t0ken"))
        try expect(events, [])
        try expect(.badAnswer, error)
        try expect(
            error?.head == ResponseHead(status: 429, retryAfter: .seconds(30)),
            "the feed ends with what was answered in its place, and not with \(error?.head as Any)")
    }

    func aReaderThatStops(byCancelling: Bool) async throws {
        let (arrived, left, opened) = (Signal(), Signal(), Signal())
        let server = try FeedStory(.stall(arrived: arrived, left: left)).server()
        let transport = try make(server.url)
        let reading = Task {
            for try await _ in transport.events(token: "t0ken") {
                opened.fire()
                if !byCancelling {
                    _ = await arrived.isFired()
                    break
                }
            }
        }
        let isOpened = await opened.isFired()
        try expect(isOpened, "the feed is open")
        if byCancelling {
            _ = await arrived.isFired()
            reading.cancel()
        }
        // Being cancelled is not an error.
        try await reading.value
        let hasLeft = await left.isFired()
        try expect(hasLeft, "the connection is closed")
        withExtendedLifetime(transport) {}
    }

    func aSlowReader() async throws {
        let count = UInt64(Bounds.feedBuffer * 5)
        let read = Signal()
        let server = try FeedStory(.events((1...count).map { try FeedStory.event($0) }), .cut(read)).server()
        let feed = try make(server.url).events(token: "t0ken")
        // Everything is there before the reader begins.
        let isRead = await read.isFired()
        try expect(isRead, "a transport reads on while its reader does not")
        let (events, error) = await all(feed)
        try expect(events.first == .opened, "a feed begins with `opened`")
        try expect(events.contains(.lagged), "the reader was told that it lagged")
        try expect(events.count <= Bounds.feedBuffer, "\(events.count) events are kept within the bound")
        try expect(events.last == hint(count) || events.last == .lagged, "the latest is kept")
        try expect(.connectionLost, error)
    }

    func aFeedOnItsOwn() async throws {
        let go = Signal()
        let server = try FeedStory(
            .hold(go), .events([FeedStory.event(1)]), .stall(arrived: Signal(), left: Signal())
        ).server()
        // Only the feed keeps the transport alive.
        var iterator = try make(server.url).events(token: "t0ken").makeAsyncIterator()
        let first = try await iterator.next()
        try expect(first == .opened, "a feed begins with `opened`")
        go.fire()
        let second = try await iterator.next()
        try expect(second == hint(1), "the feed goes on")
    }
}
