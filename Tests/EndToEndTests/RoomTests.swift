import ConclaveProtocol
import Foundation
import Testing

extension EndToEnd {
    /// Who is in the room, with real processes: no one enters unseen, and nothing leaves past a stranger.
    @Suite struct RoomTests {
        /// A line of `trust list --json`.
        private struct Held: Decodable {
            var username: String
            var objection: String
            var fingerprint: String
            var remedies: [String]
        }

        /// The operator of the server opens a private room, and someone joins from outside.
        @Test(arguments: [(Server.Ordering.strict, "sqlite", "accept"), (.open, "files", "remove")])
        func nothingLeavesPastAStranger(ordering: Server.Ordering, store: String, way: String) async throws {
            try await withStage(ordering) { stage in
                var people: [Person] = []
                for name in ["alice", "bob"] {
                    var person = try Person(name, folder: stage.folder)
                    person.plugins = ["WAXWING_STORE": store]
                    try await person.register(at: stage.url)
                    people.append(person)
                }
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                let port = await stage.server.port
                try await onThread {
                    let (group, token) = try ServerLog.open("room", alice, port)
                    try ServerLog.ask(Endpoint.updateGroup(group, GroupChanges(isPublic: true), token: token), port)
                }
                let ghost = try await ForeignClient("ghost", at: port, seed: 7)
                try await ghost.joinPublic("room")

                let send = try await alice.attempt("send", "room", "a secret")
                #expect(send.status == 21, "\(send.output)\(send.errors)")
                #expect(send.output.contains("ghost") && send.output.contains("waxwing trust accept room ghost"))
                let row = try #require(try await alice.outbox().first { $0.text == "a secret" })
                #expect(row.state == "held" && row.why.contains("ghost"))
                let held = try await alice.run("trust", "list", "--json").json(Held.self)
                #expect(held.map(\.username) == ["ghost"] && held.map(\.objection) == ["stranger"])
                #expect(held.first?.remedies.count == 3)
                // Receiving goes on, and so does everything else.
                let said = try await bob.attempt("send", "room", "bob's secret", "--json")
                #expect(said.status == 21)
                try await alice.sync()
                try await ghost.read("room")
                var overheard = await ghost.texts
                #expect(overheard.isEmpty, "the ghost has read \(overheard)")
                let lines = try await alice.run("read", "room").output
                #expect(lines.contains("no one who may do so let ghost in"), "\(lines)")
                let shown = try await alice.run("group", "show", "room").output
                #expect(shown.contains("HELD"), "\(shown)")

                let wrong = try await alice.attempt("trust", "accept", "room", "carol")
                #expect(wrong.status == 14, "\(wrong.errors)")
                if way == "accept" {
                    try await alice.run("trust", "accept", "room", "ghost")
                    // Alice is an admin: her word counts for bob, too.
                    try await stage.settle(people)
                } else {
                    try await alice.run("group", "remove", "room", "ghost")
                    try await stage.settle(people)
                }
                if way == "accept" {
                    try await ghost.read("room")
                } else {
                    await #expect(throws: ProtocolError.self) { try await ghost.read("room") }
                }
                overheard = await ghost.texts
                #expect(overheard.isEmpty == (way == "remove"), "the ghost has read \(overheard)")
                for person in people {
                    #expect(Set(try await person.texts("room")) == ["a secret", "bob's secret"], "\(person.name)")
                }
            }
        }

        /// Someone we have only seen has a new key: the message waits until we were told, and for someone whom we
        /// verified until we decide.
        @Test(arguments: [false, true]) func aNewKeyIsToldBeforeAnythingLeaves(isVerified: Bool) async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                if isVerified {
                    let key = try #require(
                        try await alice.details("room").members.first { $0.username == "bob" }?.fingerprint)
                    let other = try await alice.attempt(
                        "trust", "verify", "bob", "--fingerprint", String(repeating: "0", count: 64))
                    #expect(other.status == 9)
                    try await alice.run("trust", "verify", "bob", "--fingerprint", key)
                }
                let again = try Person("bob", folder: stage.folder + "/again")
                try await again.run("login", "bob", "--server", stage.url, "--password-file", again.passwordFile)
                for person in [again, alice, again] { try await person.sync() }
                let send = try await alice.attempt("send", "room", "who are you now?")
                #expect(send.status == 21, "\(send.output)\(send.errors)")
                try await alice.sync()
                try await again.sync()
                #expect(try await again.texts("room").isEmpty == isVerified)
                if isVerified {
                    let held = try #require(try await alice.run("trust", "list", "--json").json(Held.self).first)
                    #expect(held.objection == "notTheVerifiedKey")
                    try await alice.run("trust", "verify", "bob", "--fingerprint", held.fingerprint)
                    try await alice.sync()
                    try await again.sync()
                }
                #expect(try await again.texts("room") == ["who are you now?"])
                _ = bob
            }
        }
    }
}
