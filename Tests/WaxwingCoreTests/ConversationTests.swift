import ConclaveProtocol
import Testing

@testable import WaxwingCore

@Suite struct ConversationTests {
    @Test func twoPeopleTalk() throws {
        let world = World(seed: 1, strict: true)
        let alice = try world.add("alice")
        let bob = try world.add("bob")
        try world.makeGroup("friends")
        let group = try world.group("friends", of: alice)
        #expect(group.status == .active)
        #expect(try world.group("friends", of: bob).status == .active)
        try world.perform(.send(group: group.id, text: "hello bob"), alice)
        try world.sync(alice)
        try world.sync(bob)
        try world.perform(.send(group: world.group("friends", of: bob).id, text: "hello alice"), bob)
        try world.syncAll()
        #expect(try world.texts("friends", alice) == ["alice: hello bob", "bob: hello alice"])
        try world.expectConverged("friends")
    }

    @Test(arguments: [true, false], [2, 5])
    func allRotateAtOneEpochAndConverge(strict: Bool, count: Int) throws {
        let world = World(seed: UInt64(count), strict: strict)
        for index in 0..<count { try world.add("user\(index)") }
        try world.makeGroup("room")
        let before = try world.group("room", of: world.people[0]).epoch
        for person in world.people {
            try world.perform(.rotate(group: world.group("room", of: person).id), person)
            try world.perform(.send(group: world.group("room", of: person).id, text: "from \(person.name)"), person)
        }
        // All at once: their requests interleave at random.
        for person in world.people { try world.step(.connect(live: false), person) }
        try world.settle(world.people)
        try world.syncAll()
        try world.expectConverged("room")
        #expect(
            try world.group("room", of: world.people[0]).epoch == before + UInt64(count), "every intent is carried out")
        #expect(try world.texts("room", world.people[0]).count == count)
    }
}
