import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Someone accepts an invite whose commit came too late, and joins by its GroupInfo: they are on a dead branch.
@Suite struct StaleInviteTests {
    private func rotate(_ person: World.Person, _ world: World) throws {
        try world.perform(.rotate(group: world.room(of: person)), person)
        try world.sync(person)
    }

    private func invite(_ person: World.Person, by inviter: World.Person, _ world: World) throws {
        try world.sync(person)
        try world.perform(.invite(group: world.room(of: inviter), username: person.name), inviter)
        try world.sync(inviter)
    }

    private func accept(_ person: World.Person, _ world: World) throws {
        try world.sync(person)
        try world.perform(.accept(invite: try #require(try person.reader.invites().first).id), person)
        try world.sync(person, patience: 3)
    }

    /// Alice's invite of Fay came too late, and Fay has joined by it, and has said something, before anyone else is
    /// online.
    ///
    /// - Parameter goesOnFirst: the next commit of the others comes before hers in the log.
    private func fayComesIn(_ world: World, goesOnFirst: Bool) throws -> World.Person {
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        let (dave, fay) = (try world.add("dave"), try world.add("fay"))
        // Two commits of one epoch are in the log. Those who join later cannot tell which of them counts, nor what
        // comes after them.
        try invite(dave, by: alice, world)
        try rotate(bob, world)
        try accept(dave, world)
        for _ in 1...2 { for person in [alice, bob, carol, dave] { try world.sync(person) } }
        try #require(try world.group("room", of: dave).status == .active)

        try invite(fay, by: alice, world)
        try rotate(carol, world)
        if goesOnFirst { try rotate(bob, world) }
        try accept(fay, world)
        try #require(try world.group("room", of: fay).entry == .unproven, "\(world.report("room"))")
        try world.say("fay is here", fay)
        try world.sync(fay, patience: 1)
        try #require(try world.texts("room", fay).contains("fay: fay is here"))
        try #require(try fay.reader.outbox().isEmpty, "\(world.report("room"))")
        return fay
    }

    private func expectAllRead(_ texts: [String], _ world: World) throws {
        for person in world.people {
            let read = try world.texts("room", person).filter(texts.contains)
            #expect(read.count == texts.count, "\(person.name) reads \(read): \(world.report("room"))")
        }
        try world.expectSameKeys("room")
    }

    /// Only Fay herself goes on with her branch: that proves nothing against the others, who have gone on with theirs.
    @Test(arguments: [true, false])
    func whatIsSaidOnADeadBranchIsSaidAgain(goesOnFirst: Bool) throws {
        let world = try World.talking(641, ["alice", "bob", "carol"])
        let fay = try fayComesIn(world, goesOnFirst: goesOnFirst)
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        // The leaf of the commit that came before alice's is gone again, and so is bob's, which came before fay's.
        for person in goesOnFirst ? [alice, bob, carol] : [bob, carol, alice] { try rotate(person, world) }
        try world.sync(fay)
        try world.syncAll(rounds: 2)
        try expectAllRead(["fay: fay is here"], world)
    }

    /// Carol joins from outside, by the GroupInfo that Fay has put on the server: she knows no more than Fay of where
    /// the others are.
    @Test func whoComesInBehindIsNoProof() throws {
        let world = try World.talking(642, ["alice", "bob", "carol"])
        let fay = try fayComesIn(world, goesOnFirst: false)
        let (alice, bob) = (world.people[0], world.people[1])
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol, patience: 3)
        try world.say("carol is back", carol)
        for person in [carol, fay] { try world.sync(person, patience: 3) }
        try #require(try world.texts("room", fay).contains("carol: carol is back"), "\(world.report("room"))")
        #expect(try world.group("room", of: fay).entry == .unproven)
        for person in [bob, alice, bob, alice] { try rotate(person, world) }
        for person in [carol, fay] { try world.sync(person) }
        try world.syncAll(rounds: 2)
        try expectAllRead(["fay: fay is here", "carol: carol is back"], world)
    }
}
