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

    /// Someone who is taken off the list before anyone else was seen on the branch by which they joined is told that no
    /// one may have read their messages.
    @Test func whatNobodyIsKnownToHaveReadIsNotCalledSent() throws {
        let world = World(seed: 6, strict: false)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let bob = world.people[1]
        let id = try world.group("room", of: bob).id
        for text in ["read", "unread"] {
            if text == "unread" {
                try world.perform(.rejoin(group: id), bob)
                try world.sync(bob)
                #expect(try world.group("room", of: bob).entry == .unproven)
            }
            try world.perform(.send(group: id, text: text), bob)
            try world.sync(bob)
        }
        #expect(try bob.reader.outbox().isEmpty)
        let server = try #require(try world.group("room", of: bob).serverID)
        world.server.groups[server]?.members.removeAll { $0 == bob.id }
        for _ in 0..<2 { try world.sync(bob) }
        #expect(try world.group("room", of: bob).status == .removed)
        let left = try bob.reader.outbox().map { ($0.failure, $0.intent) }
        guard left.count == 1, left[0].0 == .unread(.removed), case .message("unread", _) = left[0].1 else {
            Issue.record("\(left)\n\(world.report("room"))")
            return
        }
        #expect(try world.texts("room", bob) == ["bob: read", "bob: unread"])
    }

    /// The founder's record of a group has an id of its own: coming back is to that one, with its history.
    @Test func aFounderWhoWasRemovedComesBackToTheSameHistory() throws {
        let world = World(seed: 4, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let server = try #require(try world.group("room", of: alice).serverID)
        let (hers, his) = (try world.group("room", of: alice).id, try world.group("room", of: bob).id)
        try world.perform(.send(group: hers, text: "before"), alice)
        try world.syncAll()
        world.server.groups[server]?.admins.insert(bob.id)
        try world.sync(bob)
        try world.perform(.remove(group: his, username: "alice"), bob)
        try world.syncAll()
        #expect(try world.group("room", of: alice).status == .removed)
        try world.perform(.invite(group: his, username: "alice"), bob)
        try world.sync(bob)
        try world.sync(alice)
        try world.perform(.accept(invite: try #require(try alice.reader.invites().first).id), alice)
        try world.syncAll()
        #expect(try alice.reader.groups().map(\.id) == [hers])
        #expect(try world.group("room", of: alice).status == .active, "\(world.report("room"))")
        #expect(try world.texts("room", alice).contains("alice: before"), "\(world.report("room"))")
        #expect(try alice.reader.room(hers)?.leaf(of: bob.id)?.standing == .accepted)
    }

    /// Someone puts the founder out by taking their place, and meanwhile lets a stranger in. The founder is told, and
    /// does not assume that whoever is there is known.
    @Test func whoLostTheirPlaceComesBackWithOpenEyes() throws {
        let world = World(seed: 5, strict: false)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let id = try world.group("room", of: alice).id
        let thief = try Intruder(as: alice.id, world)
        try thief.putGroupInfo(world)
        let stranger = try Intruder(as: world.server.register("mallory"), world)
        try stranger.putGroupInfo(world)
        for _ in 0..<2 { try world.sync(alice) }
        #expect(try world.group("room", of: alice).status == .removed)
        let told = try world.lines("room", alice).joined(separator: "; ")
        #expect(told.contains("deviceReplaced") && told.contains("weWereRemoved"), "\(told)")
        try world.perform(.accept(invite: try #require(try alice.reader.invites().first).id), alice)
        try world.syncAll()
        #expect(try world.group("room", of: alice).status == .active, "\(world.report("room"))")
        #expect(try alice.reader.room(id)?.holds.map(\.user) == [stranger.id], "\(world.report("room"))")
        #expect(try alice.reader.room(id)?.leaf(of: bob.id)?.standing == .accepted)
    }

    /// The group is closed while a request of ours is under way. Whatever becomes of that, the text stays with its
    /// reason.
    @Test(arguments: [true, false]) func whatHasFailedStaysSo(isCut: Bool) throws {
        let world = try World.talking(540, ["alice", "bob"])
        let bob = world.people[1]
        try world.perform(.send(group: world.room(of: bob), text: "too late"), bob)
        try world.step(.connect(live: false), bob)
        while !bob.calls.contains(where: { $0.1.path.hasSuffix("/messages") && $0.1.method == .post }) {
            try #require(try world.stir(bob))
        }
        let call = try #require(bob.calls.first { $0.1.path.hasSuffix("/messages") && $0.1.method == .post })
        var draft = Draft(store: bob.core.store, base: try bob.core.store.revision())
        var row = try #require(try bob.reader.outbox().first)
        row.state = .failed(.groupClosed(.removed))
        draft.put(row)
        _ = try bob.core.store.commit(draft.changes)
        if isCut {
            try world.step(.disconnect, bob)
        } else {
            try world.step(.answered(call.0, .failure(TransportError(.unknown, .connectionLost, "lost"))), bob)
        }
        let left = try #require(try bob.reader.outbox().first)
        #expect(left.state == .failed(.groupClosed(.removed)), "\(left.state)")
    }
}
