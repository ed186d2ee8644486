import Foundation
import Testing

extension EndToEnd {
    @Suite struct OfflineTests {
        @Test func aTextIsSafeAndExplainedWhileTheServerIsAway() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                try await stage.server.stop()

                let sent = try await alice.run("send", "room", "written in the dark", "--json")
                #expect(
                    sent.exit.processTime < 1,
                    "sending without a server costs \(sent.exit.processTime) s of process time")
                let report = try #require(try sent.json(SendReport.self).first)
                #expect(report.result == "queued")
                #expect(report.reason == "unreachable" && report.explanation?.contains("connect") == true, "\(report)")

                // Other processes find it on disk.
                #expect(try await alice.texts("room") == ["written in the dark"])
                #expect(try await alice.history("room").last?.state == "queued")
                let row = try #require(try await alice.outbox().first)
                #expect(row.text == "written in the dark")
                #expect(row.state == "queued")
                #expect(row.why.contains("(since "), "\(row)")
                let words = try await alice.run("outbox", "list").output
                #expect(words.contains("written in the dark") && words.contains("queued"), "\(words)")
                #expect(words.contains("(since "), "\(words)")

                try await stage.server.start()
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["written in the dark"]])
            }
        }

        @Test func everythingAskedForInTheDarkIsDoneInOrderWhenTheServerIsBack() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let alice = people[0]
                try await stage.room(people)
                let before = try await alice.details("room").epoch
                try await stage.server.kill()
                try await alice.run("send", "room", "one")
                try await alice.run("group", "rotate", "room")
                try await alice.run("send", "room", "two")
                try await alice.run("send", "room", input: "three\nwith a second line\n")
                #expect(try await alice.outbox().map(\.kind) == ["message", "rotate", "message", "message"])

                try await stage.server.start()
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["one", "two", "three\nwith a second line"]])
                #expect(try await alice.details("room").epoch == before + 1)
            }
        }
    }
}

/// What `send --json` prints.
struct SendReport: Decodable, Hashable, Sendable {
    var result: String
    var sequence: UInt64?
    var reason: String?
    var explanation: String?
}
