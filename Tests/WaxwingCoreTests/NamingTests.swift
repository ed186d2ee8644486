import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Names, against a server that changes them: a name is pinned to an id, and what was shown stays.
@Suite struct NamingTests {
    private func talk(_ seed: UInt64, _ names: [String] = ["alice", "bob", "carol"]) throws -> World {
        let world = World(seed: seed, strict: false)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        return world
    }

    private func room(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func name(of user: ID, by person: World.Person) throws -> String? { try person.reader.user(user)?.name }

    private func shown(_ user: ID, by person: World.Person) throws -> String {
        ShownNames(try person.reader.users().mapValues(\.username)).name(of: user)
    }

    private func claims(_ person: World.Person) -> [String] {
        person.notices.compactMap { if case .nameClaimed(_, let name) = $0 { name } else { nil } }
    }

    private func members(_ world: World) -> [ID] { world.server.groups.values.first?.members ?? [] }

    @Test func swappedNamesAreToldAndChangeNothing() throws {
        let world = try talk(401)
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        world.server.users[bob.id]?.name = "carol"
        world.server.users[carol.id]?.name = "bob"
        for _ in 0..<2 { try world.sync(alice) }
        #expect(try name(of: bob.id, by: alice) == "bob" && name(of: carol.id, by: alice) == "carol")
        #expect(try alice.reader.claimedName(of: bob.id) == "carol" && alice.reader.claimedName(of: carol.id) == "bob")
        #expect(claims(alice).sorted() == ["bob", "carol"], "each is told once")
        // A pinned name means the user it was pinned to.
        try world.perform(.remove(group: room(world, alice), username: "bob"), alice)
        try world.sync(alice)
        #expect(!members(world).contains(bob.id) && members(world).contains(carol.id))
        #expect(try shown(bob.id, by: alice) == "bob", "as it was, though a claim is like it")
        world.server.users[carol.id]?.name = "carol"
        try world.sync(alice)
        #expect(try alice.reader.claimedName(of: carol.id) == nil)
    }

    @Test func anotherNameIsTakenWhenThePersonSaysSo() throws {
        let world = try talk(402)
        let (alice, bob) = (world.people[0], world.people[1])
        world.server.users[bob.id]?.name = "robert"
        try world.sync(alice)
        try world.crash(alice)
        #expect(try shown(bob.id, by: alice) == "bob")
        for text in ["bob", "robert", "bob.\(bob.id)", "robert.\(bob.id)", bob.id.description] {
            #expect(try alice.reader.user(named: text)?.id == bob.id, "\(text)")
        }
        #expect(throws: CoreError.notTheirName) {
            try world.perform(.acceptName(user: bob.id, name: "carol"), alice)
        }
        #expect(throws: CoreError.notTheirName) {
            try world.perform(.acceptName(user: world.people[2].id, name: "robert"), alice)
        }
        // Someone whose first name it is takes precedence over someone who is only said to be called so.
        let robert = world.server.register("robert")
        world.server.groups[try #require(world.server.groups.keys.first)]?.members.append(robert)
        try world.sync(alice)
        #expect(try alice.reader.user(named: "robert")?.id == robert)
        try world.perform(.acceptName(user: bob.id, name: "robert"), alice)
        #expect(try name(of: bob.id, by: alice) == "robert" && alice.reader.claimedName(of: bob.id) == nil)
        #expect(try alice.reader.user(named: "bob") == nil)
        #expect(throws: CoreError.self) { try alice.reader.user(named: "robert") }
        #expect(try shown(bob.id, by: alice) != shown(robert, by: alice))
        try world.sync(alice)
        #expect(claims(alice) == ["robert"], "what was taken is no news")
    }

    @Test func oneNameForTwoIsToldApart() throws {
        let world = try talk(403)
        let (alice, bob) = (world.people[0], world.people[1])
        let double = try world.add("bob")
        try world.sync(double)
        try world.perform(.createGroup(name: "other", alias: ""), double)
        try world.sync(double)
        try world.perform(.invite(group: world.group("other", of: double).id, username: "alice"), double)
        try world.sync(double)
        try world.sync(alice)
        let invite = try #require(try alice.reader.invites().first)
        let forms = try [shown(bob.id, by: alice), shown(invite.inviter, by: alice)]
        #expect(invite.inviter == double.id && Set(forms).count == 2 && forms.allSatisfy { $0.hasPrefix("bob.") })
        let room = try room(world, alice)
        for command in [Command.remove(group: room, username: "bob"), .invite(group: room, username: "bob")] {
            let error = #expect(throws: CoreError.self) { try world.perform(command, alice) }
            guard case .ambiguousUser(let told) = error else {
                Issue.record("\(String(describing: error))")
                continue
            }
            #expect(Set(told) == Set(forms))
        }
        try world.perform(.invite(group: room, username: forms[1]), alice)
        try world.perform(.remove(group: room, username: forms[0]), alice)
        try world.sync(alice)
        #expect(world.server.groups.values.first { $0.name == "room" }?.members.contains(bob.id) == false)
        #expect(world.server.groups.values.first { $0.name == "room" }?.invites.map(\.invitee) == [double.id])
        #expect(throws: CoreError.unknownUser) {
            try world.perform(.invite(group: room, username: "bob.ffffffff"), alice)
        }
    }

    @Test(arguments: ["bob (verified)", "b\u{43E}b", "", "_bob", "bo\nb"])
    func whatBreaksTheRuleIsNoName(_ wrong: String) throws {
        let world = try talk(404)
        let alice = world.people[0]
        let dave = world.server.register(wrong)
        let group = try #require(world.server.groups.keys.first)
        world.server.groups[group]?.members.append(dave)
        world.server.users[world.people[1].id]?.name = wrong
        try world.sync(alice)
        #expect(try name(of: dave, by: alice) == "" && dave.description.hasPrefix(shown(dave, by: alice)))
        #expect(try shown(world.people[1].id, by: alice) == "bob" && claims(alice).isEmpty)
        // A name from an earlier version, which accepted any.
        var draft = Draft(store: alice.store, base: alice.store.revision())
        draft.put(UserRecord(username: wrong), for: dave)
        _ = try alice.store.commit(draft.changes)
        #expect(try dave.description.hasPrefix(shown(dave, by: alice)))
        world.server.users[dave]?.name = "dave"
        try world.sync(alice)
        #expect(try name(of: dave, by: alice) == "dave" && claims(alice).isEmpty)
    }

    @Test func ourOwnNameIsOurs() throws {
        let world = try talk(405)
        let alice = world.people[0]
        world.server.users[alice.id]?.name = "mallory"
        try world.sync(alice)
        #expect(try shown(alice.id, by: alice) == "alice" && alice.reader.claimedName(of: alice.id) == nil)
        #expect(claims(alice).isEmpty)
    }

    @Test func namesOfAnArchiveCountAsSeen() throws {
        let world = try talk(406)
        let bob = world.people[1].id
        let alice = try world.replaceDevice(of: world.people[0])
        try world.perform(
            .importUsers([
                ImportedUser(id: bob, username: "bobby", alias: "Bob\u{7}"),
                ImportedUser(id: world.people[2].id, username: "carol (verified)", alias: ""),
            ]), alice)
        #expect(try alice.reader.user(bob)?.alias == "" && alice.reader.user(world.people[2].id) == nil)
        try world.sync(alice)
        #expect(try shown(bob, by: alice) == "bobby" && alice.reader.claimedName(of: bob) == "bob")
        try world.perform(.importUsers([ImportedUser(id: bob, username: "robert", alias: "")]), alice)
        #expect(try shown(bob, by: alice) == "bobby")
        #expect(try name(of: world.people[2].id, by: alice) == "carol")
    }

    /// Someone is asked for by a name that is not known here, and the server answers with someone whom we know by
    /// another.
    @Test(arguments: [true, false]) func nobodyIsTakenForAnother(isOneself: Bool) throws {
        let world = try talk(407)
        let alice = world.people[0]
        let taken = isOneself ? alice : world.people[1]
        try world.perform(.createGroup(name: "other", alias: ""), alice)
        try world.sync(alice)
        world.server.users[taken.id]?.name = "dave"
        try world.perform(.invite(group: world.group("other", of: alice).id, username: "dave"), alice)
        try world.sync(alice)
        let row = try #require(try alice.reader.outbox().first)
        #expect(row.failure == (isOneself ? .namedOurselves : .nameOfAnother(asked: "dave", user: taken.id)))
        #expect(world.server.groups.values.first { $0.name == "other" }?.invites.isEmpty == true)
    }

    @Test func aliasesAndLongNamesKeepTheRule() throws {
        let world = try talk(408)
        var alice = world.people[0].core
        let store = world.people[0].store
        let user = try #require(ID(Array(repeating: 9, count: 16)))
        var turn = Turn(draft: Draft(store: store, base: store.revision()), now: world.now)
        for (alias, kept) in [("Eve", "Eve"), ("E\u{1B}ve", ""), (String(repeating: "e", count: 65), "")] {
            try alice.nameCame("eve", alias: alias, of: user, &turn)
            #expect(try turn.draft.user(user)?.alias == kept)
        }
        let long = try #require(ID(Array(repeating: 8, count: 16)))
        try alice.nameCame(String(repeating: "b", count: 65), alias: nil, of: long, &turn)
        #expect(try turn.draft.user(long)?.username == "")
    }
}
