import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// What deployed servers do that a client must survive (section 5 of the protocol): one test for each habit that has no
/// suite of its own.
@Suite struct HazardTests {
    private func talk(_ seed: UInt64, _ names: [String] = ["alice", "bob"], strict: Bool = false) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        return world
    }

    private func room(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func serverRoom(_ world: World) throws -> ID {
        try #require(try world.group("room", of: world.people[0]).serverID)
    }

    /// Lets someone work until a request of theirs is about to leave, and no further.
    private func stir(_ person: World.Person, untilTo verb: String, _ world: World) throws {
        while !person.calls.contains(where: { $0.1.method == .post && $0.1.path.hasSuffix(verb) }) {
            try #require(try world.stir(person), "\(person.name) never asks for \(verb)")
        }
    }

    // MARK: Rows that are deleted once everyone fetched them

    /// On such a server, a POST acknowledges everything before it: someone who sends first never reads what others
    /// wrote.
    @Test func whatOthersWroteIsFetchedBeforeAnythingIsSent() throws {
        let world = try talk(81)
        let (alice, bob) = (world.people[0], world.people[1])
        world.server.deletesWhatAllHave = true
        for index in 1...3 { try world.perform(.send(group: room(world, bob), text: "bob \(index)"), bob) }
        try world.sync(bob)
        for index in 1...3 { try world.perform(.send(group: room(world, alice), text: "alice \(index)"), alice) }
        try world.sync(alice)
        try world.syncAll()
        let expected = (1...3).map { "bob: bob \($0)" } + (1...3).map { "alice: alice \($0)" }
        #expect(try world.texts("room", alice) == expected)
        #expect(try world.texts("room", bob) == expected)
        try world.expectConverged("room")
        #expect(world.server.groups[try serverRoom(world)]?.log.isEmpty == true, "the server keeps nothing")
    }

    /// A page is acknowledged before it is stored: it must be on disk before anything is done with it.
    @Test func aPageIsOnDiskBeforeItIsOpened() throws {
        let world = try talk(82)
        let (alice, bob) = (world.people[0], world.people[1])
        world.server.deletesWhatAllHave = true
        for index in 1...3 { try world.perform(.send(group: room(world, bob), text: "\(index)"), bob) }
        try world.sync(bob)
        try world.step(.connect(live: false), alice)
        while !alice.core.hasLocalWork { try #require(try world.stir(alice)) }
        try world.crash(alice)
        #expect(try world.texts("room", alice).isEmpty, "nothing was opened yet")
        world.server.expire(try serverRoom(world))
        try world.sync(alice)
        #expect(try world.texts("room", alice) == ["bob: 1", "bob: 2", "bob: 3"])
    }

    // MARK: Commits that never counted

    /// A dead commit overwrites the GroupInfo of the living one: until it is put back, no one can join from outside.
    @Test func theLivingGroupInfoIsPutBackAfterADeadCommit() throws {
        let world = try talk(83, ["alice", "bob", "carol"])
        let (alice, bob) = (world.people[0], world.people[1])
        for person in [alice, bob] {
            try world.perform(.rotate(group: room(world, person)), person)
            try world.step(.connect(live: false), person)
            try stir(person, untilTo: "/commit", world)
        }
        // Alice's comes first, bob's is dead, and the server has the GroupInfo of bob's.
        try world.settle([alice], patience: 0)
        try stirOnce(bob, world)
        let dead = try #require(world.server.groups[try serverRoom(world)]?.groupInfo)
        let living = try #require(try alice.core.details(of: room(world, alice))?.epoch)
        #expect(try MLSMessage.summary(of: dead).epoch == living)
        try world.sync(alice)
        let info = try #require(world.server.groups[try serverRoom(world)]?.groupInfo)
        #expect(info != dead)
        // Someone who has nothing else comes back by that.
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .active)
        try world.syncAll()
        try world.expectConverged("room")
    }

    /// Delivers the request that is about to leave.
    private func stirOnce(_ person: World.Person, _ world: World) throws {
        let before = world.server.groups[try serverRoom(world)]?.log.count ?? 0
        while world.server.groups[try serverRoom(world)]?.log.count == before { try #require(try world.stir(person)) }
    }

    /// An external join stores no GroupInfo, so the next one builds on an epoch that is over.
    @Test(arguments: [true, false])
    func twoComeInFromOutsideOneAfterTheOther(strict: Bool) throws {
        let world = try talk(84, ["alice", "bob", "carol"], strict: strict)
        let bob = try world.replaceDevice(of: world.people[1])
        let carol = try world.replaceDevice(of: world.people[2])
        try world.step(.connect(live: false), bob)
        try stir(bob, untilTo: "/external-join", world)
        try stirOnce(bob, world)
        // He is in, and stops before he has put the new GroupInfo there.
        try world.crash(bob)
        try world.sync(carol, patience: 3)
        #expect(try world.group("room", of: carol).status == .keyless, "she waits for somebody to put it there")
        try world.syncAll(rounds: 4)
        for person in world.people { #expect(try world.group("room", of: person).status == .active) }
        try world.expectConverged("room")
    }

    /// The roster changes though the commit is dead: then the Remove itself is still to be done.
    @Test func aRemoveThatLosesTheRaceIsDoneAllTheSame() throws {
        let world = try talk(85, ["alice", "bob", "carol"])
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        try world.perform(.remove(group: room(world, alice), username: "carol"), alice)
        try world.step(.connect(live: false), alice)
        try stir(alice, untilTo: "/remove", world)
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try world.settle([alice])
        let roster = try #require(world.server.groups[try serverRoom(world)]?.members)
        #expect(!roster.contains(carol.id))
        world.people.removeLast()
        try world.syncAll()
        try world.expectConverged("room")
        for person in world.people {
            let members = try #require(try person.core.details(of: room(world, person))?.members)
            #expect(!members.contains { $0.user == carol.id }, "\(person.name) still has her in the tree")
        }
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .removed)
    }

    // MARK: What people give up

    @Test func whatIsDiscardedIsGone() throws {
        let world = try talk(86)
        let (alice, bob) = (world.people[0], world.people[1])
        let group = try room(world, alice)
        for text in ["one", "two", "three"] { try world.perform(.send(group: group, text: text), alice) }
        let second = try #require(try alice.reader.outbox().dropFirst().first)
        try world.perform(.discard(order: second.order), alice)
        #expect(throws: CoreError.unknownOutboxRow(second.order)) {
            try world.perform(.discard(order: second.order), alice)
        }
        try world.syncAll()
        for person in world.people { #expect(try world.texts("room", person) == ["alice: one", "alice: three"]) }
        try world.expectConverged("room")
        #expect(try world.lines("room", bob).allSatisfy { !$0.contains("unreadable") })
    }

    @Test func whatMayHaveArrivedCannotBeDiscarded() throws {
        let world = try talk(87)
        let alice = world.people[0]
        try world.perform(.send(group: room(world, alice), text: "perhaps there"), alice)
        world.fault = { _, request in
            request.path.hasSuffix("/messages") && request.method == .post ? .answerLost : .none
        }
        try world.sync(alice, patience: 0)
        let row = try #require(try alice.reader.outbox().first)
        #expect(throws: CoreError.mayHaveArrived(row.order)) { try world.perform(.discard(order: row.order), alice) }
        world.fault = { _, _ in .none }
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]) == ["alice: perhaps there"])
    }

    @Test func aCommitThatIsDiscardedLeavesNothingStaged() throws {
        let world = try talk(88)
        let alice = world.people[0]
        let group = try room(world, alice)
        let epoch = try alice.core.details(of: group)?.epoch
        try world.perform(.rotate(group: group), alice)
        world.fault = { _, request in request.path.hasSuffix("/commit") ? .linkDown : .none }
        try world.sync(alice, patience: 0)
        #expect(!alice.store.page(.staged, from: [], below: nil, limit: 9, descending: false).isEmpty)
        try world.perform(.discard(order: try #require(try alice.reader.outbox().first).order), alice)
        #expect(alice.store.page(.staged, from: [], below: nil, limit: 9, descending: false).isEmpty)
        world.fault = { _, _ in .none }
        try world.syncAll()
        #expect(try alice.core.details(of: group)?.epoch == epoch)
        try world.expectConverged("room")
    }

    @Test func aGroupThatIsGivenUpBeforeItExistsIsClosed() throws {
        let world = try talk(89)
        let alice = world.people[0]
        try world.perform(.createGroup(name: "kitchen", alias: ""), alice)
        let kitchen = try world.group("kitchen", of: alice).id
        try world.perform(.send(group: kitchen, text: "hello?"), alice)
        try world.perform(.discard(order: try #require(try alice.reader.outbox().first).order), alice)
        #expect(try alice.reader.group(kitchen)?.status == .deleted)
        #expect(try alice.reader.outbox().allSatisfy(\.isFailed), "the message is kept, with the reason")
        try world.sync(alice)
        #expect(!world.server.groups.values.contains { $0.name == "kitchen" })
    }

    @Test(arguments: [true, false])
    func signingOutStopsEverythingAndLosesNothing(whileConnected: Bool) throws {
        let world = try talk(90)
        let (alice, bob) = (world.people[0], world.people[1])
        if whileConnected {
            try world.step(.connect(live: true), alice)
            try world.step(.feed(.opened), alice)
            try world.settle([alice])
        }
        try world.perform(.send(group: room(world, alice), text: "for later"), alice)
        #expect(alice.feedOpen == whileConnected)
        try world.perform(.signOut, alice)
        #expect(!alice.feedOpen)
        #expect(alice.core.linkState == .off)
        #expect(alice.core.callsUnderWay == 0 && alice.core.nextWake == nil)
        alice.calls = []
        try world.step(.connect(live: false), alice)
        #expect(alice.core.linkState == .loginNeeded && alice.calls.isEmpty)
        #expect(world.server.posted.isEmpty)
        #expect(throws: CoreError.otherAccount(username: "alice", server: "https://test")) {
            try world.perform(
                .signIn(Session(token: "x", userID: bob.id, username: "bob"), serverURL: "https://test"), alice)
        }
        let session = Session(token: SessionToken(alice.id.description), userID: alice.id, username: "alice")
        let outcome = try world.perform(.signIn(session, serverURL: "https://test"), alice)
        #expect(outcome == .signedIn(newKey: false))
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: for later"])
        try world.expectConverged("room")
    }

    // MARK: Rows that cannot be opened, and why

    @Test func aMessageTooFarAheadIsNotCalledForged() throws {
        let world = try talk(91)
        let (alice, bob) = (world.people[0], world.people[1])
        for _ in 0...Int(Limits.forwardGenerations) + 1 {
            try world.perform(.send(group: room(world, alice), text: "x"), alice)
        }
        let last = try #require(try alice.reader.outbox().last?.sealed)
        world.server.insert([last.ciphertext], from: alice.id, into: try serverRoom(world))
        try world.sync(bob)
        #expect(try world.lines("room", bob).last?.hasSuffix("unreadable tooFarAhead") == true)
    }
}
