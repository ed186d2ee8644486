import Foundation
import Synchronization
import Testing

/// Where sessions are recorded, if anywhere.
private let recordingFolder = ProcessInfo.processInfo.environment["WAXWING_RECORD"]

/// The sessions of `fixtures/`: recorded here if `WAXWING_RECORD` names the folder (`make fixtures`), replayed in
/// ``FixtureTests``.
extension EndToEnd {
    @Suite(.enabled(if: recordingFolder != nil, "WAXWING_RECORD does not say where to record to")) struct Recordings {
        /// Records what one person does on a stage, and what a replay prints.
        private func record(
            _ name: String, _ hero: String, _ ordering: Server.Ordering = .strict,
            _ play: (Stage, FaultyProxy, Person) async throws -> Void
        ) async throws {
            let path = try #require(recordingFolder) + "/" + name
            try? FileManager.default.removeItem(atPath: path + ".jsonl")
            try await withStage(ordering, hasNetwork: true) { stage in
                var person = try Person(hero, folder: stage.folder)
                person.recording = path + ".jsonl"
                try await person.register(at: stage.url)
                try await play(stage, try #require(stage.network), person)
            }
            let replay = try await Replay.run(path + ".jsonl")
            try replay.write(toFile: path + ".txt", atomically: true, encoding: .utf8)
        }

        @Test func aFirstConversation() async throws {
            try await record("first-conversation", "alice") { stage, _, alice in
                let bob = try await stage.people("bob")[0]
                try await alice.run("group", "create", "lunch")
                try await alice.run("invite", "lunch", "bob")
                try await bob.sync()
                try await bob.run("accept", "lunch")
                try await bob.run("send", "lunch", "Hello Alice!")
                try await alice.run("sync")
                try await alice.run("send", "lunch", "Noon at the fountain?")
                try await alice.run("send", "lunch", input: "Bring an umbrella, \u{1f302} it may rain.\n")
                try await bob.run("send", "lunch", "See you there.")
                try await bob.run("group", "rotate", "lunch")
                try await alice.run("sync")
                try await alice.run("group", "rotate", "lunch")
                try await alice.run("read", "lunch")
                try await alice.run("group", "show", "lunch")
                try await alice.run("outbox", "list")
            }
        }

        @Test func aLongAbsence() async throws {
            try await record("long-absence", "bob") { stage, _, bob in
                let alice = try await stage.people("alice")[0]
                try await alice.run("group", "create", "room")
                try await alice.run("invite", "room", "bob")
                try await bob.run("sync")
                try await bob.run("accept", "room")
                try await alice.sync()
                for part in 0..<12 {
                    let lines = (1...25).map { "message \(part * 25 + $0)" }.joined(separator: "\n")
                    try await alice.run("send", "room", "--lines", input: lines)
                    try await alice.run("group", "rotate", "room")
                }
                try await bob.run("sync")
                try await bob.run("read", "room", "--all")
                try await bob.run("send", "room", "I am back.")
                try await bob.run("group", "show", "room")
            }
        }

        @Test func aRaceLostAndOneWon() async throws {
            // A server that accepts whatever comes, so that the commit that came too late is in the log.
            try await record("commit-race", "alice", .open) { stage, network, alice in
                let bob = try await stage.people("bob")[0]
                try await stage.room([alice, bob])
                // First bob's commit is before alice's in the log, then hers before his.
                for (late, early) in [(alice, bob), (bob, alice)] {
                    let gate = Gate()
                    let isFirst = Once()
                    network.play { $0.endpoint == "POST /groups/{id}/commit" && isFirst.take() ? .hold(gate) : .pass }
                    let rotating = try late.start(["group", "rotate", "room", "--wait", "20"])
                    #expect(await eventually { gate.waiting == 1 })
                    try await early.run("group", "rotate", "room")
                    gate.open()
                    #expect(try await rotating.exit().status == 0)
                    network.heal()
                    try await alice.run("sync")
                    try await bob.sync()
                }
                try await alice.run("send", "room", "Both of us have new keys now.")
                #expect(try await alice.details("room").epochAuthenticator == bob.details("room").epochAuthenticator)
                try await alice.run("read", "room")
            }
        }

        @Test func answersLostOnTheWay() async throws {
            try await record("lost-answers", "alice") { stage, network, alice in
                let bob = try await stage.people("bob")[0]
                try await stage.room([alice, bob])
                network.hideIdempotencyKeys()
                let fates: [FaultyProxy.Fate] = [.loseAnswer, .loseRequest, .cutAnswer(after: 0.5)]
                for (number, fate) in fates.enumerated() {
                    let isFirst = Once()
                    network.play { $0.endpoint == "POST /groups/{id}/messages" && isFirst.take() ? fate : .pass }
                    try await alice.run("send", "room", "message \(number + 1)", "--wait", "20")
                }
                network.heal()
                try await alice.run("sync")
                try await alice.run("outbox", "list")
                try await alice.run("read", "room")
                try await bob.sync()
                #expect(try await bob.texts("room") == ["message 1", "message 2", "message 3"])
            }
        }

        @Test func aCaptivePortal() async throws {
            try await record("captive-portal", "alice") { stage, network, alice in
                let bob = try await stage.people("bob")[0]
                try await stage.room([alice, bob])
                try await bob.run("send", "room", "Where are you?")
                network.play { _ in
                    .answer(
                        HTTPAnswer(
                            status: 200, contentType: "text/html; charset=utf-8",
                            body: Array("<!doctype html><title>Welcome to Hotel Wi-Fi</title><form>…</form>".utf8)))
                }
                _ = try await alice.attempt("sync")
                try await alice.run("send", "room", "In a hotel.", "--wait", "1")
                try await alice.run("outbox", "list")
                try await alice.run("read", "room")
                network.heal()
                try await alice.run("sync")
                try await alice.run("read", "room")
            }
        }

        @Test func aFeedThatLagsAndResumes() async throws {
            try await record("feed-lags", "alice") { stage, network, alice in
                let bob = try await stage.people("bob")[0]
                try await stage.room([alice, bob])
                let gate = Gate()
                let (isFirst, isSecond) = (Once(), Once())
                network.play { request in
                    guard request.endpoint == "GET /events" else { return .pass }
                    if isFirst.take() {
                        return .answer(
                            HTTPAnswer(
                                status: 200, contentType: "text/event-stream",
                                body: Array("event: lagged\ndata: 3\n\n".utf8)))
                    }
                    return isSecond.take() ? .hold(gate) : .pass
                }
                let watching = try alice.start(["watch"])
                // No one tells of what is said while the stream is gone.
                #expect(await eventually { gate.waiting == 1 })
                for number in 1...3 { try await bob.run("send", "room", "message \(number) while nobody listens") }
                gate.open()
                #expect(await eventually { watching.output.contains("message 3 while nobody listens") })
                for number in 4...5 {
                    try await bob.run("send", "room", "message \(number)")
                    #expect(await eventually { watching.output.contains("message \(number)") })
                }
                watching.signal(SIGINT)
                #expect(try await watching.exit().status == 0)
                try await alice.run("read", "room")
            }
        }

        @Test func anInviteThatWentStale() async throws {
            try await record("stale-invite", "alice") { stage, _, alice in
                let all = try await stage.people("bob", "carol")
                let (bob, carol) = (all[0], all[1])
                try await stage.room([alice, bob])
                try await alice.run("invite", "room", "carol")
                try await bob.run("group", "rotate", "room")
                try await alice.run("sync")
                try await carol.sync()
                try await carol.run("accept", "room")
                try await carol.run("send", "room", "Thank you for asking twice.")
                try await alice.run("sync")
                try await alice.run("read", "room")
                try await alice.run("group", "show", "room")
            }
        }
    }
}

/// True the first time it is asked.
private final class Once: Sendable {
    private let isTaken = Mutex(false)

    func take() -> Bool {
        isTaken.withLock { isTaken in
            defer { isTaken = true }
            return !isTaken
        }
    }
}
