import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// A server that orders commits is restored to an older backup: the members are where no commit of its log leads.
@Suite struct RestoredServerTests {
    /// A room whose members are `lead` epochs ahead of the server.
    private func restored(_ seed: UInt64, lead: Int, _ names: [String]) throws -> (world: World, room: ID) {
        let world = World(seed: seed, strict: true)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        try world.syncAll()
        let room = try #require(try world.group("room", of: world.people[0]).serverID)
        let backup = try #require(world.server.groups[room])
        for number in 0..<lead {
            let person = world.people[number % names.count]
            try world.perform(.rotate(group: world.group("room", of: person).id), person)
            try world.syncAll(rounds: 1)
        }
        world.server.groups[room] = backup
        return (world, room)
    }

    private func epoch(_ world: World, _ person: World.Person) throws -> UInt64 {
        try world.group("room", of: person).epoch
    }

    /// With the room's admin, and among others who are not admins: no one can vouch for them, and the server believes
    /// no single one of them.
    @Test(arguments: [(1, true), (7, true), (1, false), (2, false), (7, false)])
    func theGroupGoesOn(lead: Int, withAdmin: Bool) throws {
        let (world, room) = try restored(70 + UInt64(lead), lead: lead, ["alice", "bob", "carol"])
        let alice = world.people[0]
        if !withAdmin { world.people.removeFirst() }
        let (one, other) = (world.people[0], world.people[1])
        for person in [one, other] {
            try world.perform(.rotate(group: world.group("room", of: person).id), person)
            try world.syncAll(rounds: 4)
        }
        for person in world.people {
            try world.perform(.send(group: world.group("room", of: person).id, text: "hi from \(person.name)"), person)
        }
        try world.syncAll(rounds: 4)
        if !withAdmin {
            world.people.insert(alice, at: 0)
            try world.syncAll(rounds: 4)
        }
        let epochs = try world.people.map { try epoch(world, $0) }
        #expect(Set(epochs).count == 1, "\(epochs)")
        #expect(world.server.groups[room]?.epoch == epochs[0] - 1, "\(epochs)")
        // Someone who was away may have to join from outside, past what was said meanwhile.
        for person in world.people where withAdmin || person !== alice {
            let texts = try world.texts("room", person)
            for sender in world.people where withAdmin || sender !== alice {
                #expect(texts.contains("\(sender.name): hi from \(sender.name)"), "\(person.name) reads \(texts)")
            }
        }
        for person in world.people { #expect(try person.reader.outbox().isEmpty, "\(person.name)") }
    }

    /// The server has forgotten a message, and gives its number to another one: what people have of it stays.
    @Test(arguments: [true, false])
    func aForgottenMessageKeepsItsLine(othersAreFirst: Bool) throws {
        let (world, room) = try restored(79, lead: 0, ["alice", "bob"])
        let (alice, bob) = (world.people[0], world.people[1])
        let backup = try #require(world.server.groups[room])
        try world.say("forgotten", alice)
        try world.sync(alice)
        world.server.groups[room] = backup
        for person in othersAreFirst ? [bob, alice] : [alice, bob] {
            try world.say("\(person.name) goes on", person)
            try world.sync(person)
        }
        try world.syncAll()
        let texts = try world.texts("room", alice)
        #expect(
            Set(texts) == ["alice: forgotten", "alice: alice goes on", "bob: bob goes on"], "\(world.report("room"))")
        #expect(texts.count == 3)
        #expect(Set(try world.texts("room", bob)) == ["alice: alice goes on", "bob: bob goes on"])
        try world.expectSameKeys("room")
    }
}
