import Foundation
import Testing

extension EndToEnd {
    /// Whatever a profile is kept in and however it hears of news, nothing above notices.
    @Suite struct PluginTests {
        @Test(arguments: ["sqlite", "files"], ["sse", "poll"])
        func peopleTalkOverANetworkThatComesAndGoes(_ store: String, _ transport: String) async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                var people: [Person] = []
                for name in ["alice", "bob"] {
                    var person = try Person(name, folder: stage.folder)
                    person.plugins = ["WAXWING_STORE": store, "WAXWING_TRANSPORT": transport]
                    try await person.register(at: stage.url)
                    people.append(person)
                }
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                let kept = try await alice.run("store", "show").output
                #expect(kept.hasPrefix(store + " "), "\(kept)")

                let watching = try bob.start(["watch", "--json"])
                #expect(await eventually { watching.errors.contains("connected") }, "\(watching.errors)")
                let feed = transport == "sse" ? "GET /events" : "GET /events/poll"
                #expect(await eventually { network.requests.contains { $0.endpoint == feed } })
                try await alice.run("send", "room", "one")
                #expect(await eventually { watching.output.contains("one") })
                network.play { _ in .loseAnswer }
                try await alice.run("send", "room", "two", "--wait", "1")
                try await alice.run("group", "rotate", "room", "--wait", "1")
                network.heal()
                try await alice.sync()
                #expect(await eventually(within: 60) { watching.output.contains("two") })
                watching.signal(SIGTERM)
                #expect(try await watching.exit().status == 0)
                try await bob.run("send", "room", "three")
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["one", "two"], bob: ["three"]])
            }
        }

        @Test func whereStreamsDoNotGetThroughItIsSaidOnce() async throws {
            try await withStage(hasNetwork: true) { stage in
                let network = try #require(stage.network)
                var people: [Person] = []
                for name in ["alice", "bob"] {
                    var person = try Person(name, folder: stage.folder)
                    person.plugins = ["WAXWING_TRANSPORT": "auto"]
                    try await person.register(at: stage.url)
                    people.append(person)
                }
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                // A portal answers in place of the stream, and polls are let through.
                let portal = HTTPAnswer(status: 200, contentType: "text/html", body: Array("<html>".utf8))
                network.play { $0.endpoint == "GET /events" ? .answer(portal) : .pass }
                let watching = try bob.start(["watch"])
                for number in 1...3 {
                    try await alice.run("send", "room", "message \(number)")
                    #expect(await eventually { watching.output.contains("message \(number)") }, "\(watching.errors)")
                }
                watching.signal(SIGTERM)
                #expect(try await watching.exit().status == 0)
                let said = watching.errors.split(separator: "\n").filter { $0.contains("long-polling") }
                #expect(said.count == 1, "\(watching.errors)")
            }
        }

        @Test func aProfileMovesFromStoreToStoreWithoutLosingAByte() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await alice.run("send", "room", "before")
                func digest() async throws -> String {
                    let view = try await alice.run("store", "show", "--json").json(StoreLine.self)
                    return try #require(view.first).digest
                }
                let before = try await digest()
                let first = try await alice.run("store", "show").output.hasPrefix("sqlite") ? "files" : "sqlite"
                let second = first == "files" ? "sqlite" : "files"
                for kind in [first, second, first] {
                    try await alice.run("store", "convert", kind)
                    #expect(try await alice.run("store", "show").output.hasPrefix(kind + " "))
                    #expect(try await digest() == before)
                }
                // Only one of them is left.
                let names = try FileManager.default.contentsOfDirectory(atPath: alice.home + "/default").filter {
                    $0.hasPrefix("store")
                }
                #expect(names.allSatisfy { $0.hasPrefix("store.") } || names == ["store"], "\(names)")

                // No one moves what is in use.
                let watching = try alice.start(["watch"])
                #expect(await eventually { watching.errors.contains("connected") }, "\(watching.errors)")
                #expect(try await alice.attempt("store", "convert", second).status == 12)
                watching.signal(SIGTERM)
                #expect(try await watching.exit().status == 0)

                try await alice.run("send", "room", "after")
                try await stage.settle(people)
                try await expectConverged(people, sent: [alice: ["before", "after"], bob: []])
            }
        }
    }
}

/// What `store show --json` prints.
struct StoreLine: Decodable {
    var digest: String
}
