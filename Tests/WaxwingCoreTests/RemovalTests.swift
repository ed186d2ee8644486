import ConclaveProtocol
import Testing

@testable import WaxwingCore

struct RemovalTests {
    /// The answer to a message of ours puts it into the history ahead of the cursor.
    @Test func beingRemovedHidesNoMessageOfOurs() throws {
        let world = World(seed: 3, strict: true)
        let alice = try world.add("alice")
        let bob = try world.add("bob")
        try world.makeGroup("room")
        try world.perform(.send(group: world.group("room", of: bob).id, text: "my last word"), bob)
        try world.sync(bob)
        try world.perform(.remove(group: world.group("room", of: alice).id, username: "bob"), alice)
        try world.sync(alice)
        try world.sync(bob)
        #expect(try world.group("room", of: bob).status == .removed)
        #expect(try world.texts("room", bob) == ["bob: my last word"])
        let last = try #require(try bob.reader.lastHistory(world.group("room", of: bob).id, limit: 1).last?.row)
        #expect(last.content == .system([SystemEvent(.weWereRemoved, actor: bob.id)]))
    }
}
