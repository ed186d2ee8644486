import ConclaveProtocol
import MLSOpenSSL
import Synchronization
import Testing
import WaxwingClient

@testable import WaxwingCore

/// The client that all others are built on: it drives the core, keeps the order of disk and network, and ends when it
/// is asked to.
@Suite struct ClientTests {
    private let script = Scripted()

    private func client() throws -> Client {
        try Client(
            store: Scripted.Disk(script: script), transport: script, provider: OpenSSLProvider(),
            entropy: SeededEntropy(7), clock: { [script] in script.now }, pace: script)
    }

    private func signedIn() async throws -> Client {
        let client = try client()
        let session = Session(token: SessionToken(script.user.description), userID: script.user, username: "alice")
        try await client.perform(.signIn(session, serverURL: "https://test"))
        return client
    }

    /// Alone in a group that the server knows.
    private func inRoom() async throws -> (Client, ID) {
        let client = try await signedIn()
        try await client.perform(.createGroup(name: "room", alias: ""))
        #expect(try await client.run(live: false, until: .settled) == .up)
        return (client, try #require(try client.reader.groups().first).id)
    }

    private func waitUntil(_ holds: () throws -> Bool) async rethrows {
        while try !holds() { await Task.yield() }
    }

    // MARK: Disk and network

    /// When a request leaves, what it is about is on disk as being sent.
    @Test func nothingLeavesBeforeItIsOnDisk() async throws {
        let (client, room) = try await inRoom()
        let seen = Mutex<OutboxRow.State?>(nil)
        script.fate { [reader = client.reader] request in
            guard request.method == .post, request.path.hasSuffix("/messages") else { return .answered }
            // Never the case if the row is on disk.
            let row = try? reader.outbox().first
            seen.withLock { $0 = row?.state }
            return .answered
        }
        try await client.perform(.send(group: room, text: "hello"))
        _ = try await client.run(live: false, until: .settled)
        #expect(seen.withLock { $0 } == .sending)
        #expect(try client.reader.outbox().isEmpty && script.posted == 1)
        guard case .committed = script.events.first else {
            Issue.record("\(script.events)")
            return
        }
    }

    /// Each change set in turn meets a full disk. That ends the run, and the next one does what was left, once.
    @Test func aFullDiskLosesAndRepeatsNothing() async throws {
        let (client, room) = try await inRoom()
        var failures = 0
        for place in 0..<100 {
            let before = script.posted
            try await client.perform(.send(group: room, text: "number \(place)"))
            let left = Mutex(place)
            script.disk { _ in
                left.withLock { left in
                    defer { left -= 1 }
                    return left == 0 ? .full : nil
                }
            }
            do {
                _ = try await client.run(live: false, until: .settled)
            } catch let error as StoreError {
                #expect(error.code == .full)
                failures += 1
            }
            let isThrough = left.withLock { $0 >= 0 }
            script.disk { _ in nil }
            #expect(try await client.run(live: false, until: .settled) == .up)
            #expect(try client.reader.outbox().isEmpty)
            #expect(script.posted - before <= 2, "once, and once more where the answer was not stored")
            let texts = try client.reader.history(room, limit: 1_000).compactMap { _, row -> String? in
                if case .text(let text) = row.content { text } else { nil }
            }
            #expect(texts == (0...place).map { "number \($0)" })
            if isThrough { break }
        }
        #expect(failures > 1, "a message takes two change sets at least")
    }

    /// Another process was faster: what was decided on an old state is decided again.
    @Test func aStaleRevisionIsDecidedAgain() async throws {
        let (client, room) = try await inRoom()
        let turn = Mutex(0)
        script.disk { _ in
            turn.withLock { turn in
                turn += 1
                return turn % 2 == 1 ? .staleRevision : nil
            }
        }
        try await client.perform(.send(group: room, text: "hello"))
        #expect(try await client.run(live: false, until: .settled) == .up)
        #expect(turn.withLock { $0 } >= 4 && script.posted == 1)
        #expect(try client.reader.outbox().isEmpty)
    }

    // MARK: How a run ends

    @Test func aSecondRunIsRefusedAndStopEndsTheFirst() async throws {
        let client = try await signedIn()
        async let first = client.run(live: true, until: .stopped)
        await waitUntil { script.feedCount == 1 }
        await #expect(throws: CoreError.alreadyRunning) { try await client.run(live: false, until: .settled) }
        client.stop()
        #expect(try await first == .up)
        #expect(try await client.run(live: false, until: .settled) == .up, "another one may follow")
    }

    /// What is under way is cancelled. The log will tell whether the server heard it.
    @Test(arguments: [true, false]) func aRequestUnderWayDoesNotHoldTheEnd(isCancelled: Bool) async throws {
        let (client, room) = try await inRoom()
        script.fate { $0.path.hasSuffix("/messages") && $0.method == .post ? .hangs : .answered }
        try await client.perform(.send(group: room, text: "hello"))
        let run = Task { try await client.run(live: false, until: .settled) }
        await waitUntil { script.requests.contains { $0.method == .post && $0.path.hasSuffix("/messages") } }
        if isCancelled {
            run.cancel()
            client.lookUp()
        } else {
            await client.end()
        }
        _ = try await run.value
        #expect(try client.reader.outbox().map(\.state) == [.unconfirmed])
        #expect(try client.reader.outbox().first?.trouble == .connectionEnded)
        script.fate { _ in .answered }
        #expect(try await client.run(live: false, until: .settled) == .up)
        #expect(try client.reader.outbox().isEmpty && script.posted == 1)
    }

    @Test func aServerOutOfReachEndsARunThatHasAnEnd() async throws {
        let client = try await signedIn()
        script.fate { _ in .lost }
        guard case .waiting(_, let trouble?) = try await client.run(live: false, until: .settled) else {
            Issue.record("it was reached")
            return
        }
        #expect(trouble.cause == .unreachable && script.requests.count <= 5)
        #expect(try client.reader.link()?.trouble == .transport(.unreachable, detail: trouble.reason))
    }

    /// Lost answers are asked for again in the same run, a few times.
    @Test func lostAnswersAreAskedForAgainButNotForEver() async throws {
        let (client, room) = try await inRoom()
        let lost = Mutex(2)
        script.fate { request in
            guard request.path.hasSuffix("/messages"), request.method == .post else { return .answered }
            return lost.withLock { lost in
                defer { lost -= 1 }
                return lost > 0 ? .answerLost : .answered
            }
        }
        try await client.perform(.send(group: room, text: "hello"))
        #expect(try await client.run(live: false, until: .settled) == .up)
        #expect(try client.reader.outbox().isEmpty && script.posted == 1)
        script.fate { $0.path.hasSuffix("/messages") ? .answerLost : .answered }
        try await client.perform(.send(group: room, text: "again"))
        let before = script.requests.count
        guard case .waiting = try await client.run(live: false, until: .settled) else {
            Issue.record("it goes on for ever")
            return
        }
        #expect(script.requests.count - before < 100)
        #expect(try client.reader.outbox().count == 1)
    }

    // MARK: Events

    /// A feed that breaks is opened again, and what an event announces is fetched.
    @Test func aFeedThatBreaksIsOpenedAgain() async throws {
        let (client, _) = try await inRoom()
        let known = script.requests.count { $0.method == .get && $0.path.hasSuffix("/groups") }
        async let run = client.run(live: true, until: .stopped)
        await waitUntil { script.feedCount == 1 }
        script.breakFeed()
        await waitUntil { script.feedCount == 2 }
        script.hint(.lagged)
        // Once for each feed that was opened, and once for what was missed.
        await waitUntil { script.requests.count { $0.method == .get && $0.path.hasSuffix("/groups") } >= known + 3 }
        client.stop()
        #expect(try await run == .up)
    }

    // MARK: Asking directly

    /// A server that has asked to wait is left alone, and says so only once.
    @Test func whoAsksToWaitIsLeftAlone() async throws {
        let client = try await signedIn()
        let busy = APIResponse(
            head: ResponseHead(status: 429, contentType: "text/plain", retryAfter: .seconds(60)), body: [])
        script.fate { _ in .instead(busy) }
        let token = SessionToken(script.user.description)
        await #expect(throws: ProtocolError.self) {
            try await client.ask(Endpoint.groups(token: token), of: "https://test")
        }
        let error = await #expect(throws: TransportError.self) {
            try await client.ask(Endpoint.groups(token: token), of: "https://test")
        }
        #expect(error?.cause == .askedToWait && script.requests.count == 1)
        await #expect(throws: ProtocolError.self, "another server has said nothing") {
            try await client.ask(Endpoint.groups(token: token), of: "https://other")
        }
    }
}
