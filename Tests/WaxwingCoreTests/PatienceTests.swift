import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// What waits must neither block others nor keep the client busy; and no list alone makes anyone lose their keys.
@Suite struct PatienceTests {
    @Test func anEmptyListOfGroupsWipesNothing() throws {
        let world = World(seed: 31, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let alice = world.people[0]
        world.answerInstead = { request in
            request.method == .get && request.path.hasSuffix("/groups")
                ? APIResponse(status: 200, contentType: "", body: []) : nil
        }
        try world.sync(alice)
        #expect(try world.group("room", of: alice).status == .active)
        world.answerInstead = { _ in nil }
        try world.perform(.send(group: world.group("room", of: alice).id, text: "still here"), alice)
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]) == ["alice: still here"])
        try world.expectConverged("room")
    }

    @Test func anEvictionThatWaitsItsTurnHoldsUpNoMessage() throws {
        let world = World(seed: 32, strict: true)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let (bob, carol) = (world.people[1], world.people[2])
        try world.perform(.leave(group: world.group("room", of: carol).id), carol)
        try world.sync(carol)
        // Bob is second in line to take her out; meanwhile he has something to say.
        try world.perform(.send(group: world.group("room", of: bob).id, text: "bye"), bob)
        try world.sync(bob, patience: 0)
        let left = try bob.reader.outbox()
        #expect(left.count == 1 && left[0].intent == .evict(user: carol.id), "the message is out, the eviction waits")
        #expect(world.server.posted.count == 1)
    }

    @Test func nothingWakesAClientThatHasNoLink() throws {
        let world = World(seed: 33, strict: true)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let (bob, carol) = (world.people[1], world.people[2])
        try world.perform(.leave(group: world.group("room", of: carol).id), carol)
        try world.sync(carol)
        try world.step(.connect(live: true), bob)
        try world.step(.feed(.opened), bob)
        try world.settle([bob], patience: 0)
        #expect(try !bob.reader.outbox().isEmpty)
        try world.step(.feedEnded(TransportError(.unknown, .connectionLost, "cut")), bob)
        // Long after the eviction's turn has come: only the link's own next try may wake anyone.
        let due = try #require(bob.core.nextWake)
        guard case .waiting(let until, _) = bob.core.linkState else {
            Issue.record("the link is \(bob.core.linkState)")
            return
        }
        #expect(due == until)
        world.now = world.now.advanced(byMilliseconds: 10_000)
        try world.step(.wake, bob)
        #expect(bob.core.linkState == .connecting)
        #expect(bob.core.nextWake == nil)
    }

    @Test func aWelcomeIsUsedOnce() throws {
        let world = World(seed: 34, strict: false)
        for name in ["alice", "bob"] { try world.add(name) }
        world.server.keepsWelcomes = true
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.send(group: world.group("room", of: bob).id, text: "one"), bob)
        try world.syncAll()
        try world.perform(.remove(group: world.group("room", of: alice).id, username: "bob"), alice)
        try world.syncAll()
        #expect(try world.group("room", of: bob).status == .removed)
        // A hostile server lists him again, and hands out the Welcome by which he joined.
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[serverRoom]?.members.append(bob.id)
        try world.sync(bob)
        #expect(try world.group("room", of: bob).status != .active, "its ratchets were used already")
    }
}
