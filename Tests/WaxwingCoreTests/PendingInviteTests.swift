import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Invites that wait while their group moves on.
@Suite struct PendingInviteTests {
    private func room(_ seed: UInt64, strict: Bool, _ members: [String], invited: [String]) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in members { try world.add(name) }
        try world.makeGroup("room")
        for name in invited {
            try world.sync(world.add(name))
            try world.perform(.invite(group: group(world, world.people[0]), username: name), world.people[0])
        }
        try world.sync(world.people[0])
        return world
    }

    private func group(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func onServer(_ world: World) throws -> ModelServer.Group {
        try #require(world.server.groups.values.first { $0.name == "room" })
    }

    private func accept(_ person: World.Person, _ world: World) throws {
        let invites = try person.reader.invites()
        #expect(invites.count == 1, "\(person.name)")
        if let invite = invites.first { try world.perform(.accept(invite: invite.id), person) }
    }

    /// Each acceptance ends the epoch for which the other invites were made.
    @Test(arguments: [true, false])
    func thirteenInvitedAtOnceAreInWhenEachHasSyncedThreeTimes(strict: Bool) throws {
        let names = (1...13).map { "guest\($0)" }
        let world = try room(320, strict: strict, ["alice"], invited: names)
        #expect(try onServer(world).invites.count == 13)
        for round in 1...3 {
            for person in world.people {
                try world.sync(person)
                if round == 1, person !== world.people[0] { try accept(person, world) }
            }
        }
        for person in world.people {
            #expect(try world.group("room", of: person).status == .active, "\(world.report("room"))")
        }
        try world.syncAll(rounds: 1)
        for person in world.people {
            try world.perform(.send(group: group(world, person), text: "hi from \(person.name)"), person)
        }
        try world.syncAll(rounds: 2)
        try world.expectSameKeys("room")
        let members = try #require(try world.people[0].core.details(of: group(world, world.people[0]))?.members)
        #expect(members.count == 14)
        let all = try Set(world.texts("room", world.people[0]))
        #expect(all.count == 14)
        for person in world.people {
            #expect(try Set(world.texts("room", person)) == all, "\(person.name)")
            #expect(try person.reader.outbox().isEmpty, "\(person.name)")
        }
    }

    /// All accept at the same moment, and race each other from then on.
    @Test func thirteenWhoAcceptAtOnceAllComeIn() throws {
        let world = try room(326, strict: true, ["alice"], invited: (1...13).map { "guest\($0)" })
        let guests = Array(world.people.dropFirst())
        for person in guests { try world.sync(person) }
        for person in guests {
            try accept(person, world)
            try world.step(.connect(live: false), person)
        }
        try world.settle(guests, patience: 400)
        let isIn = try guests.map { try world.group("room", of: $0).status == .active }
        #expect(!isIn.contains(false), "\(isIn.count { $0 }) of 13: \(world.report("room"))")
        try world.syncAll(rounds: 2)
        try world.expectConverged("room")
    }

    /// The inviter is away. Another admin renews what the group has outgrown, once, and the inviter leaves it at that.
    @Test(arguments: [true, false])
    func anyAdminRenewsStaleInvites(strict: Bool) throws {
        let world = try room(321, strict: strict, ["alice", "bob"], invited: ["carol", "dave"])
        let (alice, bob, carol, dave) = (world.people[0], world.people[1], world.people[2], world.people[3])
        let id = try onServer(world).id
        world.server.groups[id]?.admins.insert(bob.id)
        try world.sync(bob)
        let first = try onServer(world).invites
        #expect(first.map(\.inviter) == [alice.id, alice.id])
        try world.perform(.rotate(group: group(world, bob)), bob)
        try world.sync(bob)
        let renewed = try onServer(world).invites
        #expect(renewed.map(\.inviter) == [bob.id, bob.id], "\(world.report("room"))")
        let epoch = try world.group("room", of: bob).epoch
        for invite in renewed { #expect(try MLSMessage.summary(of: invite.commit).epoch == epoch) }

        // They are fresh now, for all that any admin can see.
        for person in [alice, bob, alice, bob] { try world.sync(person) }
        #expect(try onServer(world).invites.map(\.id) == renewed.map(\.id))
        for person in [alice, bob] { #expect(try person.reader.outbox().isEmpty, "\(person.name)") }
        for user in [carol, dave] { #expect(world.server.users[user.id]?.keyPackages.count == 3, "two were used") }

        try world.sync(carol)
        try accept(carol, world)
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .active)
        try world.sync(alice)
        try world.sync(dave)
        try accept(dave, world)
        try world.syncAll(rounds: 4)
        try world.expectSameKeys("room")
    }

    /// Both admins are there when the group moves on.
    @Test(arguments: [322, 323, 324] as [UInt64])
    func adminsDoNotFightOverInvites(seed: UInt64) throws {
        let world = try room(seed, strict: seed % 2 == 0, ["alice", "bob", "erin"], invited: ["carol", "dave"])
        let (alice, bob, erin) = (world.people[0], world.people[1], world.people[2])
        let id = try onServer(world).id
        world.server.groups[id]?.admins = [alice.id, bob.id, erin.id]
        for person in [alice, bob, erin] { try world.sync(person) }
        try world.perform(.rotate(group: group(world, erin)), erin)
        for person in [alice, bob, erin] { try world.step(.connect(live: true), person) }
        for person in [alice, bob, erin] { try world.step(.feed(.opened), person) }
        world.server.hints = []
        for _ in 0..<6 {
            try world.settle([alice, bob, erin], patience: 6)
            let hints = world.server.hints
            world.server.hints = []
            for (user, hint) in hints {
                guard let person = [alice, bob, erin].first(where: { $0.id == user }) else { continue }
                try world.step(.feed(.event(hint)), person)
            }
        }
        let epoch = try world.group("room", of: erin).epoch
        let invites = try onServer(world).invites
        #expect(invites.count == 2)
        for invite in invites { #expect(try MLSMessage.summary(of: invite.commit).epoch == epoch) }
        for person in [alice, bob, erin] { #expect(try person.reader.outbox().isEmpty, "\(world.report("room"))") }
        for person in world.people.suffix(2) {
            #expect(world.server.users[person.id]?.keyPackages.count == 3, "each invite was renewed once")
        }
    }

    @Test(arguments: [true, false])
    func acceptingAgainIsAccepting(online: Bool) throws {
        let world = try room(325, strict: true, ["alice"], invited: ["bob"])
        let bob = world.people[1]
        try world.sync(bob)
        let invite = try #require(try bob.reader.invites().first).id
        world.fault = { _, request in request.path.hasSuffix("/accept") ? .linkDown : .none }
        var orders: Set<UInt64> = []
        for _ in 1...6 {
            guard case .queued(let row) = try world.perform(.accept(invite: invite), bob) else {
                Issue.record("nothing was queued")
                continue
            }
            orders.insert(row.order)
            if online { try world.sync(bob, patience: 1) }
        }
        #expect(orders.count == 1)
        #expect(try bob.reader.outbox().count == 1)
        world.fault = { _, _ in .none }
        try world.syncAll()
        #expect(try world.group("room", of: bob).status == .active)
        try world.expectConverged("room")
    }
}
