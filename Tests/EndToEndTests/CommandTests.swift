import Foundation
import Testing

extension EndToEnd {
    /// The commands that look around and tidy up, as processes: what they print, for people and for scripts.
    @Suite struct CommandTests {
        private struct Account: Decodable {
            var username: String
            var fingerprint: String
        }

        private struct Logout: Decodable {
            var loggedOut: Bool
            var toldServer: Bool
        }

        private struct Discarded: Decodable { var discarded: UInt64 }

        private struct Invite: Decodable {
            var group: String
            var inviter: String
        }

        private struct Group: Decodable {
            var name: String
            var status: String
            var members: Int
            var waiting: Int
        }

        private struct Trust: Decodable {
            var username: String
            var trust: String
            var fingerprint: String?
        }

        @Test func whoIsLoggedInAndOut() async throws {
            try await withStage { stage in
                let alice = try await stage.people("alice")[0]
                let nobody = try Person("nobody", folder: stage.folder)
                #expect(try await nobody.attempt("whoami").status == 3)
                #expect(try await nobody.attempt("logout").status == 3)
                let words = try await alice.run("whoami").output
                #expect(words.contains("alice at \(stage.url) (logged in)"), "\(words)")
                let account = try #require(try await alice.run("whoami", "--json").json(Account.self).first)
                #expect(account.username == "alice" && account.fingerprint.count == 64)

                #expect(try await alice.run("logout").output == "logged out\n")
                #expect(try await alice.run("whoami").output.contains("(logged out)"))
                #expect(try await alice.attempt("logout").status == 3, "once is enough")
                let sync = try await alice.attempt("sync")
                #expect(sync.status == 3 || sync.status == 5, "\(sync.errors)")

                try await alice.run("login", "--password-file", alice.passwordFile)
                let logout = try #require(try await alice.run("logout", "--json").json(Logout.self).first)
                #expect(logout.loggedOut && logout.toldServer)

                // Without a server, the session still ends here, and people are told that it goes on there.
                try await alice.run("login", "--password-file", alice.passwordFile)
                try await stage.server.stop()
                let alone = try await alice.run("logout", "--json")
                let told = try #require(try alone.json(Logout.self).first)
                #expect(told.loggedOut && !told.toldServer)
                #expect(alone.errors.contains("could not be told"), "\(alone.errors)")
                #expect(try await alice.run("whoami").output.contains("(logged out)"))
                try await stage.server.start()
            }
        }

        @Test func invitesAndGroupsAreListed() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                let none = try await bob.run("invites")
                #expect(none.output.isEmpty && none.errors.contains("no invites"), "\(none.errors)")
                #expect(try await bob.run("group", "list").errors.contains("no groups"))
                #expect(try await bob.run("group", "list", "--json").output.isEmpty)

                try await alice.run("group", "create", "room")
                try await alice.run("invite", "room", "bob")
                try await bob.sync()
                #expect(try await bob.run("invites").output.contains("alice invites you to room"))
                let invites = try await bob.run("invites", "--json").json(Invite.self)
                #expect(invites.map(\.group) == ["room"] && invites.map(\.inviter) == ["alice"])
                try await bob.run("accept", "room")
                #expect(try await bob.run("invites", "--json").output.isEmpty)

                try await alice.sync()
                try await alice.run("send", "room", "waits", "--queue")
                #expect(try await alice.run("group", "list").output == "room  (active, 2 members, 1 waiting)\n")
                let group = try #require(try await alice.run("group", "list", "--json").json(Group.self).first)
                #expect(group.name == "room" && group.status == "active" && group.members == 2 && group.waiting == 1)
                try await alice.sync()
                try await bob.run("group", "leave", "room")
                #expect(try await bob.run("group", "list", "--json").output.isEmpty)
                let left = try await bob.run("group", "list", "--all", "--json").json(Group.self)
                #expect(left.map(\.status) == ["left"])
            }
        }

        @Test func rowsOfTheOutboxAreGivenUp() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                for text in ["one", "two", "three", "four"] { try await alice.run("send", "room", text, "--queue") }
                let rows = try await alice.outbox()
                #expect(rows.map(\.text) == ["one", "two", "three", "four"])
                let words = try await alice.run("outbox", "discard", "\(rows[1].outbox)").output
                #expect(words == "discarded row \(rows[1].outbox)\n")
                let discarded = try await alice.run("outbox", "discard", "\(rows[2].outbox)", "--json").json(
                    Discarded.self)
                #expect(discarded.map(\.discarded) == [rows[2].outbox])
                let again = try await alice.attempt("outbox", "discard", "\(rows[2].outbox)", "--json")
                #expect(again.status == 6 && again.output.isEmpty, "\(again.output)\(again.errors)")
                try await stage.settle(people)
                #expect(try await bob.texts("room") == ["one", "four"])
                try await expectConverged(people, sent: [alice: ["one", "four"]])
            }
        }

        @Test func keysAreComparedByHand() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                let everybody = try await alice.run("trust", "show", "--json").json(Trust.self)
                #expect(everybody.map(\.username) == ["alice", "bob"] && everybody.map(\.trust) == ["own", "seen"])
                let his = try #require(try await bob.run("whoami", "--json").json(Account.self).first).fingerprint
                #expect(everybody.last?.fingerprint == his)
                let wrong = try await alice.attempt(
                    "trust", "verify", "bob", "--fingerprint", String(his.reversed()))
                #expect(wrong.status != 0 && wrong.errors.contains("not the fingerprint of bob"), "\(wrong.errors)")
                #expect(try await alice.run("trust", "show", "bob").output.contains("as first seen"))
                try await alice.run("trust", "verify", "bob", "--fingerprint", his)
                #expect(
                    try await alice.run("trust", "show", "bob", "--json").json(Trust.self).map(\.trust) == ["verified"])
                #expect(try await alice.attempt("trust", "show", "nobody").status == 6)
            }
        }

        @Test func readingGoesOnWithWhatAnotherProcessFetches() async throws {
            try await withStage { stage in
                let people = try await stage.people("alice", "bob")
                let (alice, bob) = (people[0], people[1])
                try await stage.room(people)
                try await bob.run("send", "room", "before")
                try await alice.sync()
                let reader = try alice.start(["read", "room", "--last", "1", "--follow", "--json"])
                #expect(await eventually { reader.output.contains("before") }, "\(reader.output)\(reader.errors)")
                let watch = try alice.start(["watch"])
                #expect(await eventually { watch.errors.contains("connected") }, "\(watch.errors)")
                for text in ["while", "they", "watch"] { try await bob.run("send", "room", text) }
                func texts() throws -> [String] {
                    try reader.output.split(separator: "\n").compactMap { line in
                        // The last line may be on its way.
                        guard line.hasSuffix("}") else { return nil }
                        return try JSONDecoder().decode(HistoryLine.self, from: Data(line.utf8)).text
                    }
                }
                #expect(try await eventually { try texts().count >= 4 }, "\(reader.output)")
                #expect(try texts() == ["before", "while", "they", "watch"])
                for process in [reader, watch] {
                    process.signal(SIGINT)
                    #expect(try await process.exit(within: 20).status == 0, "\(process.command): \(process.errors)")
                }
            }
        }
    }
}
