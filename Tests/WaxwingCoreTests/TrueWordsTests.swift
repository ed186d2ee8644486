import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What the history says of why someone is gone, and why something could not be opened.
@Suite struct TrueWordsTests {
    private func world(_ seed: UInt64, strict: Bool, _ names: [String]) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        return world
    }

    /// The events of a person's history that are about `subject` going, without the numbers.
    private func goings(_ world: World, _ person: World.Person, _ subject: World.Person) throws -> [SystemEvent.Kind] {
        let group = try world.group("room", of: person)
        let gone: [SystemEvent.Kind] = [
            .removed, .left, .unlisted, .weLeft, .weWereRemoved, .weWereUnlisted, .groupDeleted,
        ]
        return try person.reader.history(group.id, limit: 10_000).flatMap { entry -> [SystemEvent.Kind] in
            guard case .system(let events) = entry.row.content else { return [] }
            return events.filter { $0.subject == subject.id && gone.contains($0.kind) }.map(\.kind)
        }
    }

    private func reasons(_ world: World, _ person: World.Person) throws -> [HistoryRow.Unreadable] {
        let group = try world.group("room", of: person)
        return try person.reader.history(group.id, limit: 10_000).compactMap {
            if case .unreadable(let why) = $0.row.content { why } else { nil }
        }
    }

    /// Dan is away until all is over: he reads what the commit says about itself.
    @Test(arguments: [true, false])
    func whoLeftWasNotRemoved(strict: Bool) throws {
        let world = try world(41, strict: strict, ["alice", "bob", "carol", "dan"])
        let people = world.people
        let (alice, carol) = (people[0], people[2])
        try world.perform(.leave(group: world.group("room", of: carol).id), carol)
        try world.sync(carol)
        world.people.remove(at: 2)
        try world.sync(alice)
        try world.sync(people[1])
        try world.syncAll()
        for person in world.people { #expect(try goings(world, person, carol) == [.left, .left], "\(person.name)") }
        #expect(try goings(world, carol, carol) == [.weLeft])
        try world.expectConverged("room")
    }

    @Test(arguments: [true, false])
    func whoWasRemovedDidNotLeave(strict: Bool) throws {
        let world = try world(42, strict: strict, ["alice", "bob", "carol"])
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        // Bob hears of it before he reads the log, and Alice's commit comes after he has put Carol on his list of those
        // to remove.
        try world.perform(.remove(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        world.people.removeLast()
        try world.syncAll()
        for person in [alice, bob] { #expect(try goings(world, person, carol) == [.removed], "\(person.name)") }
        #expect(try goings(world, carol, carol) == [.weWereRemoved])
    }

    /// The server is restored to the day before Carol came. No one removes her from the tree for that: no one has done
    /// anything.
    @Test(arguments: [true, false])
    func whomAServerForgotWasNeitherRemovedNorLeft(strict: Bool) throws {
        let world = World(seed: 43, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        let backup = try #require(world.server.groups[serverRoom])
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.perform(.invite(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        for text in ["one", "two"] {
            try world.perform(.send(group: world.group("room", of: carol).id, text: text), carol)
            try world.syncAll(rounds: 1)
        }
        world.server.groups[serverRoom] = backup
        world.people.removeLast()
        try world.syncAll(rounds: 4)
        for person in [alice, bob] {
            #expect(try goings(world, person, carol).isEmpty, "\(person.name)")
            let members = try world.group("room", of: person)
            #expect(try person.reader.membership(members.id).tree.contains(carol.id), "\(person.name)")
            #expect(try !person.reader.membership(members.id).isOnRoster(carol.id))
        }
    }

    @Test(arguments: [true, false])
    func aDeletedGroupIsToldFromARemoval(isHeard: Bool) throws {
        let world = try world(44, strict: true, ["alice", "bob"])
        let bob = world.people[1]
        let room = try world.group("room", of: bob)
        try world.perform(.send(group: room.id, text: "still there?"), bob)
        let serverRoom = try #require(room.serverID)
        if isHeard {
            try world.step(.connect(live: true), bob)
            try world.step(.feed(.opened), bob)
            try world.settle([bob])
            world.server.groups[serverRoom] = nil
            // A server may say about a group that is gone that the caller is not a member of it.
            world.answerInstead = { request in
                guard request.path.contains("/messages") else { return nil }
                return APIResponse(status: 401, contentType: "application/x-protobuf", body: [0x10, 0x90, 0x03])
            }
            try world.step(.feed(.event(.groupDeleted(group: serverRoom))), bob)
            try world.settle([bob])
        } else {
            world.server.groups[serverRoom] = nil
            try world.sync(bob)
        }
        #expect(try world.group("room", of: bob).status == .deleted)
        #expect(try goings(world, bob, bob) == [.groupDeleted])
    }

    /// A client with another's habits: it goes on with its commit without checking whether it came first.
    @Test func whatWasMadeOnALostBranchIsNotCalledForged() throws {
        let world = try world(45, strict: false, ["alice", "bob", "carol"])
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        let serverRoom = try #require(try world.group("room", of: bob).serverID)
        let room = try world.group("room", of: bob).id
        let turn = Turn(draft: Draft(store: bob.store, base: bob.store.revision()), now: world.now)
        let state = try bob.core.withGroup(room, turn) { $0 }
        var dead = try #require(state)
        let signer = try bob.core.signer(turn)
        try world.perform(.rotate(group: world.group("room", of: alice).id), alice)
        try world.sync(alice)
        var rows: [[UInt8]] = []
        for _ in 0..<2 {
            let staged = try dead.commit([], signer: signer, now: nil, entropy: world.entropy)
            rows.append(staged.message)
            try dead.merge(staged)
            rows.append(try dead.protect([1], signer: signer, entropy: world.entropy))
        }
        world.server.insert(rows, from: bob.id, into: serverRoom)
        try world.perform(.rotate(group: world.group("room", of: alice).id), alice)
        try world.sync(alice)
        try world.sync(carol)
        // The first dead commit is of an epoch that is over, and does not matter.
        for person in [alice, carol] {
            #expect(try reasons(world, person) == [.lostBranch, .lostBranch, .lostBranch], "\(person.name)")
        }
        // Beyond the reach of that branch.
        try world.perform(.rotate(group: world.group("room", of: alice).id), alice)
        try world.perform(.send(group: world.group("room", of: alice).id, text: "hi"), alice)
        try world.sync(alice)
        var forged = try #require(world.server.groups[serverRoom]?.log.last?.message)
        // After version, format, group, epoch, type and message id comes the sender.
        forged[66] ^= 1
        world.server.insert([forged], from: alice.id, into: serverRoom)
        try world.perform(.rotate(group: world.group("room", of: alice).id), alice)
        try world.sync(alice)
        try world.sync(carol)
        #expect(try reasons(world, carol).last == .forged)
    }

    /// A profile is restored from a copy: what it sent since is its own, and can be read again.
    @Test func whatALostStateSentIsOnesOwn() throws {
        let world = try world(46, strict: true, ["alice", "bob"])
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        let copy = alice.store.content
        for text in ["one", "two"] {
            try world.perform(.send(group: room, text: text), alice)
            try world.sync(alice)
        }
        try world.perform(.send(group: world.group("room", of: bob).id, text: "three"), bob)
        try world.sync(bob)
        alice.store.restore(copy)
        try world.crash(alice)
        try world.sync(alice)
        #expect(try reasons(world, alice) == [])
        #expect(try world.texts("room", alice) == ["alice: one", "alice: two", "bob: three"])
    }

    @Test func aRowForAnotherGroupIsCalledThat() throws {
        let world = try world(47, strict: true, ["alice", "bob"])
        try world.makeGroup("kitchen")
        let bob = world.people[1]
        let (room, kitchen) = (try world.group("room", of: bob), try world.group("kitchen", of: bob))
        let serverKitchen = try #require(kitchen.serverID)
        let astray = try #require(world.server.groups[serverKitchen]?.log.last?.message)
        world.server.insert([astray], from: world.people[0].id, into: try #require(room.serverID))
        try world.sync(bob)
        #expect(try reasons(world, bob) == [.wrongGroup])
    }

    // MARK: What is stored

    @Test func onlyNewKindsNeedANewerProgram() throws {
        let id = ID([UInt8](repeating: 1, count: 16)) ?? .nobody
        func row(_ content: HistoryRow.Content) -> HistoryRow {
            HistoryRow(sequence: 1, era: 0, sender: id, time: 2, content: content)
        }
        for reason in HistoryRow.Unreadable.allCases {
            let row = row(.unreadable(reason))
            #expect(row.stored.first == (reason.rawValue <= 8 ? 1 : reason == .otherLog ? 4 : 2))
            #expect(try HistoryRow(stored: row.stored) == row)
        }
        for kind in SystemEvent.Kind.allCases {
            let row = row(.system([SystemEvent(kind, actor: id, count: kind == .missing ? 300 : 1)]))
            #expect(
                row.stored.first == (kind.rawValue <= 10 ? 1 : kind.rawValue <= 13 ? 2 : kind.rawValue <= 21 ? 3 : 4))
            #expect(try HistoryRow(stored: row.stored) == row)
        }
        for intent in [Intent.rotate, .cancelInvite(username: "bob", user: id)] {
            let row = OutboxRow(order: 1, group: id, intent: intent, createdAt: Instant(milliseconds: 5))
            #expect(try OutboxRow(stored: row.stored) == row)
        }
        var membership = MembershipRecord()
        membership.note(roster: [.init(user: id, isAdmin: true)], era: 0)
        membership.tree = [id]
        #expect(try MembershipRecord(stored: membership.stored) == membership)
        membership.note(roster: [], era: 0)
        #expect(membership.hasLeft(id, era: 0) && !membership.hasLeft(id, era: 1))
        #expect(try MembershipRecord(stored: membership.stored) == membership)
        membership.note(roster: [], era: 1)
        #expect(try MembershipRecord(stored: membership.stored) == membership && !membership.hasLeft(id, era: 1))
    }
}
