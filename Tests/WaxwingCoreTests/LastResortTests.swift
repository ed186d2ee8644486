import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Key packages of last resort: a used one is replaced, and nothing sent depends on it.
@Suite struct LastResortTests {
    private static let day: UInt64 = 86_400

    private func pass(days: UInt64, _ world: World) {
        world.now = world.now.advanced(byMilliseconds: days * Self.day * 1000)
        world.server.time += days * Self.day
    }

    /// Alice has rooms, and bob's stock on the server is down to the one of last resort.
    private func world(_ seed: UInt64, _ rooms: [String]) throws -> (World, lastResort: [UInt8]) {
        let world = World(seed: seed, strict: true)
        for name in ["alice", "bob"] { try world.sync(world.add(name)) }
        for room in rooms {
            try world.perform(.createGroup(name: room, alias: ""), world.people[0])
            try world.sync(world.people[0])
        }
        let bob = world.people[1]
        world.server.useUpKeyPackages(of: bob.id)
        return (world, try #require(world.server.users[bob.id]?.lastResort))
    }

    private func invite(_ world: World, to room: String) throws {
        try world.perform(
            .invite(group: world.group(room, of: world.people[0]).id, username: "bob"), world.people[0])
        try world.sync(world.people[0])
    }

    private func accept(_ world: World) throws {
        let bob = world.people[1]
        try world.sync(bob)
        for invite in try bob.reader.invites() { try world.perform(.accept(invite: invite.id), bob) }
        try world.sync(bob)
    }

    private func reference(_ keyPackage: [UInt8], _ person: World.Person) throws -> [UInt8] {
        guard case .keyPackage(let package) = try MLSMessage(decoding: keyPackage) else { return [] }
        return package.ref(crypto: person.core.crypto).bytes
    }

    private func hasKeys(_ keyPackage: [UInt8], _ person: World.Person) throws -> Bool {
        person.store.value(.keyPackage, try reference(keyPackage, person)) != nil
    }

    @Test func oneThatLetUsInIsReplacedAndOurKeysAreNewBeforeWeSpeak() throws {
        let (world, old) = try world(91, ["room"])
        let (alice, bob) = (world.people[0], world.people[1])
        try invite(world, to: "room")
        #expect(world.server.users[bob.id]?.lastResort == old)
        try world.sync(bob)
        try world.perform(.accept(invite: try #require(try bob.reader.invites().first).id), bob)
        // Written before anything of the room is there: it goes out after the new keys.
        try world.perform(.send(group: world.group("room", of: bob).id, text: "first words"), bob)
        try world.sync(bob)
        let serverID = try #require(world.group("room", of: bob).serverID)
        let log = try #require(world.server.groups[serverID]).log.filter { $0.sender == bob.id }
        let kinds = try log.map { try MLSMessage.summary(of: $0.message).contentType }
        #expect(kinds == [.commit, .application], "\(kinds)")

        let new = try #require(world.server.users[bob.id]?.lastResort)
        #expect(new != old && world.server.users[bob.id]?.keyPackages.count == 1)
        #expect(try hasKeys(new, bob) && hasKeys(old, bob), "an invite may be under way that was made by the old one")
        try world.syncAll()
        try world.expectConverged("room")
        #expect(try world.texts("room", alice) == ["bob: first words"])
        // It is replaced once, not at each sync.
        #expect(world.server.users[bob.id]?.lastResort == new)

        pass(days: 30, world)
        try world.sync(bob)
        #expect(try hasKeys(old, bob))
        pass(days: 2, world)
        try world.sync(bob)
        #expect(try !hasKeys(old, bob), "no invite by it is good any more")
    }

    @Test func anotherInviteByTheOldOneStillLeadsIn() throws {
        let (world, old) = try world(92, ["room", "hall"])
        let bob = world.people[1]
        try invite(world, to: "room")
        try invite(world, to: "hall")
        try world.sync(bob)
        let invites = try bob.reader.invites()
        #expect(invites.count == 2)
        try world.perform(.accept(invite: invites[0].id), bob)
        try world.sync(bob)
        #expect(world.server.users[bob.id]?.lastResort != old)
        pass(days: 20, world)
        try world.perform(.accept(invite: invites[1].id), bob)
        try world.syncAll()
        for room in ["room", "hall"] {
            try world.expectConverged(room)
            let lines = try world.lines(room, world.people[0])
            #expect(lines.contains { $0.contains("rotated bob") } && !lines.contains { $0.contains("rejoined") })
        }
    }

    /// The old key is there until the server has said that it accepted the new one.
    @Test func anAnswerThatIsLostCostsNoKey() throws {
        for lost in [World.Fault.answerLost, .requestLost] {
            let (world, old) = try world(93, ["room"])
            let bob = world.people[1]
            try invite(world, to: "room")
            var isLost = false
            world.fault = { person, request in
                guard !isLost, person === bob, request.method == .post, request.path.hasSuffix("/key-packages") else {
                    return .none
                }
                isLost = true
                return lost
            }
            try accept(world)
            #expect(isLost)
            try world.syncAll()
            let new = try #require(world.server.users[bob.id]?.lastResort)
            #expect(try new != old && hasKeys(new, bob) && hasKeys(old, bob))
            #expect(world.server.users[bob.id]?.keyPackages.count ?? 0 >= 1)
            try world.expectConverged("room")
        }
    }

    @Test func oneThatWasNotUsedStays() throws {
        let world = World(seed: 94, strict: true)
        for name in ["alice", "bob"] { try world.sync(world.add(name)) }
        let bob = world.people[1]
        let before = try #require(world.server.users[bob.id]?.lastResort)
        try world.makeGroup("room")
        #expect(world.server.users[bob.id]?.lastResort == before)
        #expect(try !world.lines("room", world.people[0]).contains { $0.contains("rotated") })
    }
}
