import ConclaveProtocol
import Testing

@testable import WaxwingCore

/// Removing people who are not in the tree.
@Suite struct TakingBackTests {
    /// A room of two admins, and Carol, who is in no room.
    private func world(_ seed: UInt64, strict: Bool) throws -> (World, carol: World.Person) {
        let world = World(seed: seed, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[serverRoom]?.admins.insert(bob.id)
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.syncAll(rounds: 1)
        return (world, carol)
    }

    private func invite(_ world: World, by person: World.Person) throws {
        try world.perform(.invite(group: world.group("room", of: person).id, username: "carol"), person)
        try world.sync(person)
    }

    private func remove(_ world: World, by person: World.Person) throws -> OutboxRow {
        let outcome = try world.perform(.remove(group: world.group("room", of: person).id, username: "carol"), person)
        guard case .queued(let row) = outcome else { throw CoreError.requestLost }
        return row
    }

    /// Whichever admin does it, and whether the network is there or not: the invitee stays out, and no one invites her
    /// again.
    @Test(arguments: [true, false], [true, false])
    func anInviteIsTakenBack(strict: Bool, byInviter: Bool) throws {
        let (world, carol) = try world(51, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try invite(world, by: alice)
        try world.sync(carol)
        #expect(try carol.reader.invites().count == 1)
        let remover = byInviter ? alice : bob
        if !byInviter {
            // Bob has heard of Carol.
            try world.sync(bob)
        }
        let row = try remove(world, by: remover)
        if byInviter { #expect(row.intent == .cancelInvite(username: "carol", user: carol.id), "known without asking") }
        try world.sync(remover)
        #expect(try remover.reader.outbox().isEmpty)
        // The group goes on, which is when waiting invites are renewed.
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.syncAll(rounds: 4)
        #expect(world.server.groups.values.allSatisfy { $0.invites.isEmpty && !$0.members.contains(carol.id) })
        #expect(try carol.reader.invites().isEmpty)
        #expect(try alice.reader.invited(to: world.group("room", of: alice).id).isEmpty)
        world.people.removeLast()
        try world.expectConverged("room")
    }

    @Test(arguments: [true, false])
    func whoIsNeitherMemberNorInvitedCannotBeRemoved(isKnown: Bool) throws {
        let (world, carol) = try world(52, strict: true)
        let alice = world.people[0]
        if isKnown {
            try invite(world, by: alice)
            try world.sync(carol)
            try world.perform(.decline(invite: try #require(try carol.reader.invites().first).id), carol)
            try world.sync(carol)
            try world.sync(alice)
        }
        _ = try remove(world, by: alice)
        try world.sync(alice)
        #expect(try alice.reader.outbox().map(\.failure) == [.neitherMemberNorInvited])
    }

    @Test func aNameTheServerDoesNotKnowIsAnErrorOfItsOwn() throws {
        let (world, _) = try world(53, strict: true)
        let alice = world.people[0]
        let room = try world.group("room", of: alice).id
        try world.perform(.remove(group: room, username: "nobody"), alice)
        try world.perform(.invite(group: room, username: "nobody"), alice)
        try world.sync(alice)
        #expect(try alice.reader.outbox().map(\.failure) == [.unknownUser, .unknownUser])
    }

    /// The answer to taking it back is lost, and the server does not recognize repeated requests.
    @Test(arguments: [World.Fault.answerLost, .requestLost])
    func aLostAnswerChangesNothing(fault: World.Fault) throws {
        let (world, carol) = try world(54, strict: true)
        let alice = world.people[0]
        world.server.knowsIdempotencyKeys = false
        try invite(world, by: alice)
        _ = try remove(world, by: alice)
        var isLost = false
        world.fault = { _, request in
            guard request.path.hasSuffix("/cancel-invite"), !isLost else { return .none }
            isLost = true
            return fault
        }
        try world.sync(alice)
        #expect(isLost)
        #expect(try alice.reader.outbox().isEmpty)
        try world.sync(carol)
        #expect(try carol.reader.invites().isEmpty)
    }

    /// Carol accepts while the removal waits for the network: then she is a member, and removed as one.
    @Test(arguments: [true, false])
    func whoAcceptedMeanwhileIsRemoved(strict: Bool) throws {
        let (world, carol) = try world(55, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try invite(world, by: alice)
        try world.sync(carol)
        _ = try remove(world, by: alice)
        try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.sync(alice)
        #expect(try alice.reader.outbox().isEmpty)
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .removed)
        try world.sync(bob)
        world.people.removeLast()
        try world.syncAll()
        try world.expectConverged("room")
        #expect(try alice.core.details(of: world.group("room", of: alice).id)?.members.count == 2)
    }

    /// Asked for and taken back before there was a network: the server hears of neither, and Carol of nothing.
    @Test func anInviteThatNeverWentOutIsForgotten() throws {
        let (world, carol) = try world(56, strict: true)
        let alice = world.people[0]
        let room = try world.group("room", of: alice).id
        try invite(world, by: alice)
        try world.sync(carol)
        try world.perform(.decline(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.syncAll()
        try world.perform(.invite(group: room, username: "carol"), alice)
        _ = try remove(world, by: alice)
        #expect(try alice.reader.outbox().count == 1)
        var escrows = 0
        world.fault = { _, request in
            if request.path.hasSuffix("/escrow-invite") { escrows += 1 }
            return .none
        }
        try world.sync(alice)
        #expect(escrows == 0)
        #expect(try alice.reader.outbox().isEmpty)
    }

    /// On the roster, and in no tree: accepted on a branch that died, or a device that stopped on its way in.
    @Test func whoHasNoKeysYetIsTakenOffTheRoster() throws {
        let (world, carol) = try world(57, strict: true)
        let alice = world.people[0]
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[serverRoom]?.members.append(carol.id)
        try world.sync(alice)
        _ = try remove(world, by: alice)
        try world.sync(alice)
        #expect(world.server.groups[serverRoom]?.members.contains(carol.id) == false)
        #expect(try alice.reader.outbox().isEmpty)
    }
}
