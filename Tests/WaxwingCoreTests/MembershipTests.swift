import ConclaveProtocol
import Testing

@testable import WaxwingCore

@Suite struct MembershipTests {
    @Test(arguments: [true, false])
    func aLeaverIsTakenOutOfTheTreeByOneWhoStays(strict: Bool) throws {
        let world = World(seed: 7, strict: strict)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let carol = world.people[2]
        try world.perform(.leave(group: world.group("room", of: carol).id), carol)
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .left)
        #expect(try carol.core.details(of: world.group("room", of: carol).id) == nil, "the keys are gone")
        world.people.removeLast()
        try world.syncAll(rounds: 3)
        try world.expectConverged("room")
        let alice = world.people[0]
        let details = try #require(try alice.core.details(of: world.group("room", of: alice).id))
        #expect(details.members.count == 2)
    }

    @Test(arguments: [true, false])
    func oneWhoIsRemovedWhileAwayIsToldSo(strict: Bool) throws {
        let world = World(seed: 8, strict: strict)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, carol) = (world.people[0], world.people[2])
        let room = try world.group("room", of: carol).id
        try world.perform(.send(group: room, text: "still here?"), carol)
        try world.perform(.remove(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .removed)
        #expect(try world.lines("room", carol).contains { $0.contains("weWereRemoved") })
        let left = try carol.reader.outbox()
        #expect(left.count == 1 && left[0].isFailed, "what could not be sent is kept, with its reason")
        #expect(throws: CoreError.groupClosed(.removed)) {
            try world.perform(.send(group: room, text: "again"), carol)
        }
        world.people.removeLast()
        try world.syncAll()
        try world.expectConverged("room")
    }

    @Test(arguments: [true, false], [true, false])
    func aPendingInviteSurvivesTheGroupMovingOn(strict: Bool, acceptsEarly: Bool) throws {
        let world = World(seed: 9, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let carol = try world.add("carol")
        try world.sync(carol)
        let room = try world.group("room", of: alice).id
        try world.perform(.invite(group: room, username: "carol"), alice)
        try world.sync(alice)
        // The group goes on without waiting for her.
        try world.perform(.send(group: world.group("room", of: bob).id, text: "before"), bob)
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.perform(.send(group: world.group("room", of: bob).id, text: "after"), bob)
        try world.sync(bob)
        if acceptsEarly {
            try world.sync(carol)
            try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
            try world.sync(carol)
        }
        try world.sync(alice)
        #expect(try alice.reader.invited(to: room) == (acceptsEarly ? [] : [carol.id]))
        try world.sync(carol)
        if !acceptsEarly {
            try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        }
        try world.syncAll(rounds: 4)
        #expect(try world.group("room", of: carol).status == .active)
        for person in world.people {
            try world.perform(.send(group: world.group("room", of: person).id, text: "hi from \(person.name)"), person)
        }
        try world.syncAll()
        let texts = try world.texts("room", carol).filter { $0.contains("hi from") }
        #expect(texts.count == 3, "the newcomer reads everybody, and everybody reads the newcomer")
        #expect(try world.texts("room", alice) == world.texts("room", bob))
        #expect(try world.texts("room", alice).filter { $0.contains("hi from") } == texts)
        let authenticators = try Set(
            world.people.map { try $0.core.details(of: world.group("room", of: $0).id)?.epochAuthenticator })
        #expect(authenticators.count == 1)
    }

    /// An escrowed invite may wait for longer than the key package it was made with lives.
    @Test(arguments: [true, false])
    func anInviteThatIsAcceptedLateDoesNotSplitTheGroup(strict: Bool) throws {
        let world = World(seed: 12, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let alice = world.people[0]
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.perform(.invite(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        let wait: UInt64 = 91 * 86_400
        world.now = world.now.advanced(byMilliseconds: wait * 1000)
        world.server.time += wait
        try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.syncAll(rounds: 4)
        let authenticators = try Set(
            world.people.map { try $0.core.details(of: world.group("room", of: $0).id)?.epochAuthenticator })
        #expect(authenticators.count == 1)
    }

    @Test func oneWhoDeclinesIsNotAskedAgain() throws {
        let world = World(seed: 10, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let alice = world.people[0]
        let carol = try world.add("carol")
        try world.sync(carol)
        let room = try world.group("room", of: alice).id
        try world.perform(.invite(group: room, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        try world.perform(.decline(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.perform(.rotate(group: room), alice)
        try world.syncAll(rounds: 3)
        #expect(try alice.reader.invited(to: room).isEmpty)
        #expect(try carol.reader.invites().isEmpty)
        world.people.removeLast()
        try world.expectConverged("room")
    }

    /// One account is one device: its groups come along to a new profile, which has none of their keys.
    @Test(arguments: [true, false])
    func aNewProfileComesBackIntoItsGroups(strict: Bool) throws {
        let world = World(seed: 13, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        try world.makeGroup("kitchen")
        let newBob = try world.replaceDevice(of: world.people[1])
        try world.sync(newBob)
        for name in ["room", "kitchen"] {
            #expect(try world.group(name, of: newBob).status == .active)
            try world.perform(.send(group: world.group(name, of: newBob).id, text: "back in \(name)"), newBob)
        }
        try world.syncAll()
        for name in ["room", "kitchen"] {
            #expect(try world.texts(name, world.people[0]) == ["bob: back in \(name)"])
            try world.expectConverged(name)
        }
    }

    /// Joined a public group by the server's word, and then the device stopped.
    @Test(arguments: [true, false])
    func aMemberWithoutALeafEntersTheTree(strict: Bool) throws {
        let world = World(seed: 14, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let serverRoom = try #require(try world.group("room", of: world.people[0]).serverID)
        let carol = try world.add("carol")
        world.server.groups[serverRoom]?.members.append(carol.id)
        try world.sync(carol)
        try world.syncAll()
        try world.expectConverged("room")
        #expect(try carol.core.details(of: world.group("room", of: carol).id)?.members.count == 3)
    }

    /// Carol joins, speaks and goes while bob is away. She is on no roster any more: only a separate request can tell
    /// her name.
    @Test func aNameThatDidNotComeIsAskedForAgain() throws {
        let world = World(seed: 15, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.perform(.invite(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.sync(alice)
        try world.perform(.remove(group: world.group("room", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        world.answerInstead = { request in
            request.path.contains("/users/by-id/") ? APIResponse(status: 500, contentType: "", body: [1]) : nil
        }
        try world.sync(bob)
        #expect(try bob.reader.user(carol.id)?.username == "")
        world.answerInstead = { _ in nil }
        try world.sync(bob)
        #expect(try bob.reader.user(carol.id)?.username == "carol")
    }

    @Test func aChangedKeyIsShownAndStopsNothing() throws {
        let world = World(seed: 11, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let (alice, bob) = (world.people[0], world.people[1])
        let before = try #require(try alice.reader.user(bob.id)).fingerprint
        #expect(!before.isEmpty)
        // Bob loses his device: a new profile, new keys, and in again from outside.
        let newBob = try world.replaceDevice(of: bob)
        try world.sync(newBob)
        try world.perform(.rejoin(group: world.group("room", of: newBob).id), newBob)
        try world.sync(newBob)
        try world.syncAll()
        let user = try #require(try alice.reader.user(bob.id))
        #expect(user.fingerprint == before)
        #expect(!user.changedFingerprint.isEmpty && user.changedFingerprint != before)
        #expect(try world.lines("room", alice).contains { $0.contains("identityChanged") })
        try world.perform(.send(group: world.group("room", of: newBob).id, text: "new phone"), newBob)
        try world.syncAll()
        #expect(try world.texts("room", alice) == ["bob: new phone"])
        try world.perform(.verify(user: bob.id, fingerprint: user.changedFingerprint), alice)
        #expect(try alice.reader.user(bob.id)?.fingerprint == user.changedFingerprint)
    }
}
