import Foundation
import Synchronization
import Testing

extension EndToEnd {
    /// Joining a group from outside with a new profile, while dead commits are around.
    @Suite struct DeadBranchTests {
        /// The same user with a new profile: nothing of the old one is left.
        private func newProfile(of person: Person, at url: String, on stage: Stage) async throws -> Person {
            let fresh = try Person(person.name, folder: stage.folder + "/new")
            try await fresh.run("login", person.name, "--server", url, "--password-file", fresh.passwordFile)
            return fresh
        }

        /// A stale invite is accepted while all members are away: a dead commit and its GroupInfo are all that the
        /// server has.
        @Test func aLoginOnANewProfileDoesNotLandOnADeadBranch() async throws {
            try await withStage(.open, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let members = try await stage.people("alice", "bob", "carol")
                let (alice, bob) = (members[0], members[1])
                try await stage.room(members)
                let dave = try await stage.people("dave")[0]
                try await alice.run("invite", "room", "dave")
                try await bob.run("group", "rotate", "room")
                try await dave.sync()
                _ = try await dave.attempt("accept", "room", "--wait", "1")

                let before = network.requests.count
                let carol = try await newProfile(of: members[2], at: stage.url, on: stage)
                try await carol.sync()
                #expect(try await carol.details("room").status == "keyless")
                let why = try #require(try await carol.outbox().first { $0.kind == "rejoin" }?.why)
                #expect(why.contains("dead commit") && why.contains("sync"), "\(why)")
                _ = try await carol.attempt("send", "room", "carol waits", "--wait", "1")
                let written = network.requests[before...].filter {
                    $0.endpoint == "POST /groups/{id}/external-join" || $0.endpoint == "POST /groups/{id}/commit"
                }
                #expect(written.isEmpty, "something was built on the dead commit")

                for person in [alice, bob, carol] { try await person.sync() }
                #expect(try await carol.details("room").status == "active")
                let all = [alice, bob, carol, dave]
                let isOne = try await eventually {
                    try await stage.settle(all)
                    let states = try await Set(all.asyncMap { try await $0.details("room").epochAuthenticator })
                    return states.count == 1 && !states.contains(nil)
                }
                #expect(isOne, "the group is split")
                for person in all { try await person.write("\(person.name) is here") }
                try await stage.settle(all)
                for person in all {
                    let texts = try await person.texts("room").filter { $0.hasSuffix("is here") }
                    #expect(Set(texts).count == 4, "\(person.name) reads \(texts)")
                }
                for person in [alice, bob, carol] {
                    #expect(try await person.texts("room").contains("carol waits"), "\(person.name) cannot read it")
                }
            }
        }

        /// Another commit comes first, three times; then the server accepts, and a look into the log follows rather
        /// than a long silence.
        @Test func aLostRaceAtTheDoorCostsNoTime() async throws {
            try await withStage(.open, hasNetwork: true) { stage in
                let network = try #require(stage.network)
                let members = try await stage.people("alice", "bob")
                let alice = members[0]
                try await stage.room(members)
                let bob = try Person("bob", folder: stage.folder + "/new")
                let gates = [Gate(), Gate(), Gate()]
                let knocks = Mutex(0)
                network.play { request in
                    guard request.endpoint == "POST /groups/{id}/external-join" else { return .pass }
                    let knock = knocks.withLock { count in
                        defer { count += 1 }
                        return count
                    }
                    return knock < gates.count ? .hold(gates[knock]) : .pass
                }
                // It joins its groups at once.
                let login = try bob.start(["login", "bob", "--server", stage.url, "--password-file", bob.passwordFile])
                for gate in gates {
                    let isThere = await eventually { gate.waiting > 0 }
                    try #require(isThere, "bob does not knock again")
                    try await alice.run("group", "rotate", "room")
                    gate.open()
                }
                #expect(try await login.exit().status == 0, "\(login.errors)")
                // What is left needs no waiting for.
                try await bob.sync()
                let left = try await bob.outbox()
                #expect(try await bob.details("room").status == "active", "\(left)")
                try await bob.run("send", "room", "bob is back")
                try await alice.sync()
                #expect(try await alice.texts("room") == ["bob is back"])
            }
        }
    }
}

extension Array {
    fileprivate func asyncMap<Value>(_ body: (Element) async throws -> Value) async rethrows -> [Value] {
        var values: [Value] = []
        for element in self { values.append(try await body(element)) }
        return values
    }
}
