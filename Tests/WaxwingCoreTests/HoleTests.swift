import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Commits that leave the log before everyone has seen them. Someone who missed one can only come back from outside;
/// committing further would split the group.
@Suite struct HoleTests {
    private func talk(_ seed: UInt64, strict: Bool) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        return world
    }

    private func room(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func serverRoom(_ world: World) throws -> ID {
        try #require(try world.group("room", of: world.people[0]).serverID)
    }

    /// Everyone is in one epoch of one group, nothing is left to send, and what is said now is read by all.
    private func expectOneGroup(_ world: World) throws {
        try world.syncAll(rounds: 4)
        for person in world.people {
            try world.perform(.send(group: room(world, person), text: "\(person.name) is here"), person)
        }
        try world.syncAll()
        let authenticators = try Set(
            world.people.map { try $0.core.details(of: room(world, $0))?.epochAuthenticator })
        #expect(authenticators.count == 1, "the group is split: \(world.report("room"))")
        for person in world.people {
            let heard = try world.texts("room", person).filter { $0.hasSuffix(" is here") }
            #expect(heard.count == world.people.count, "\(person.name) hears \(heard)")
            #expect(try person.reader.outbox().isEmpty, "\(world.report("room"))")
        }
    }

    @Test(arguments: [true, false], [true, false])
    func aCommitThatExpiredUnseenSplitsNobody(strict: Bool, rowsFollow: Bool) throws {
        let world = try talk(41, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try world.sync(world.people[2])
        try world.server.expire(serverRoom(world))
        if rowsFollow {
            // Not of the next epoch: that would be parked, and give it away.
            world.server.insert([[7]], from: bob.id, into: try serverRoom(world))
        }
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.sync(alice)
        try expectOneGroup(world)
        #expect(try world.lines("room", bob).contains { $0.contains("rejoined alice") })
    }

    @Test(arguments: [true, false])
    func theGapIsRememberedAcrossACrash(strict: Bool) throws {
        let world = try talk(42, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try world.server.expire(serverRoom(world))
        world.server.insert([[7]], from: bob.id, into: try serverRoom(world))
        try world.step(.connect(live: false), alice)
        let before = try world.group("room", of: alice)
        while try world.group("room", of: alice).cursor == before.cursor { try #require(try world.stir(alice)) }
        try world.crash(alice)
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.sync(alice)
        try expectOneGroup(world)
    }

    @Test(arguments: [true, false])
    func numbersThatBeginAnewMayHideACommitToo(strict: Bool) throws {
        let world = try talk(43, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try world.server.expire(serverRoom(world))
        world.server.groups[try serverRoom(world)]?.lastSequence = 0
        world.server.insert([[7]], from: bob.id, into: try serverRoom(world))
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.sync(alice)
        try expectOneGroup(world)
    }

    @Test(arguments: [true, false])
    func aGapWithoutCommitsChangesNothing(strict: Bool) throws {
        let world = try talk(44, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        for index in 1...4 { try world.perform(.send(group: room(world, bob), text: "\(index)"), bob) }
        try world.sync(bob)
        let log = try #require(world.server.groups[try serverRoom(world)]?.log)
        try world.server.expire(serverRoom(world)) { row in
            log.suffix(3).prefix(2).contains { $0.sequence == row.sequence }
        }
        let before = try #require(try alice.core.details(of: room(world, alice))?.epoch)
        try world.sync(alice)
        #expect(try alice.core.details(of: room(world, alice))?.epoch == before)
        #expect(try world.texts("room", alice) == ["bob: 1", "bob: 4"])
        try expectOneGroup(world)
    }

    /// No number is missing and nothing is parked: only the server's refusals tell that something is wrong.
    @Test func oneWhoIsRefusedForeverAsksWhereTheGroupIs() throws {
        let world = try talk(45, strict: true)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        let last = try #require(world.server.groups[try serverRoom(world)]?.log.last?.sequence)
        try world.server.expire(serverRoom(world)) { $0.sequence == last }
        world.server.groups[try serverRoom(world)]?.lastSequence -= 1
        world.server.insert([[7]], from: bob.id, into: try serverRoom(world))
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.sync(alice)
        try expectOneGroup(world)
    }

    /// The server has no GroupInfo, or one that no one can use: that must not silence anyone for ever.
    @Test(arguments: [nil, [1, 2, 3]] as [[UInt8]?])
    func aGapAndNoGroupInfoHoldNobodyUp(groupInfo: [UInt8]?) throws {
        let world = try talk(46, strict: true)
        let (alice, bob) = (world.people[0], world.people[1])
        for index in 1...3 { try world.perform(.send(group: room(world, bob), text: "\(index)"), bob) }
        try world.sync(bob)
        let last = try #require(world.server.groups[try serverRoom(world)]?.log.last?.sequence)
        try world.server.expire(serverRoom(world)) { $0.sequence == last - 1 }
        world.server.groups[try serverRoom(world)]?.groupInfo = groupInfo ?? []
        try world.perform(.send(group: room(world, alice), text: "all the same"), alice)
        try world.sync(alice)
        try world.sync(bob)
        #expect(try world.texts("room", bob).last == "alice: all the same")
        #expect(try alice.reader.outbox().isEmpty)
    }

    @Test(arguments: [true, false])
    func parkedRowsAreRememberedAcrossACrash(strict: Bool) throws {
        let world = try talk(47, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        // A meaningless row takes the place of the commit, so that no number is missing.
        let place = try #require(world.server.groups[try serverRoom(world)]?.log.last?.sequence)
        try world.server.expire(serverRoom(world)) { $0.sequence == place }
        world.server.groups[try serverRoom(world)]?.lastSequence -= 1
        world.server.insert([[7]], from: bob.id, into: try serverRoom(world))
        try world.perform(.send(group: room(world, bob), text: "from the next epoch"), bob)
        try world.sync(bob)
        world.server.insert(Array(repeating: [7], count: 6), from: bob.id, into: try serverRoom(world))
        world.answerTooLarge = { request in
            request.query.first { $0.name == "limit" }.map { Int($0.value)! > 2 } ?? false
        }
        try world.step(.connect(live: false), alice)
        while try world.group("room", of: alice).parkedRows == 0 {
            // Each row is applied before the next is fetched.
            if alice.core.hasLocalWork {
                try world.step(.resume, alice)
            } else {
                try #require(try world.stir(alice))
            }
        }
        #expect(try alice.reader.outbox().isEmpty, "the log is not drained yet")
        try world.crash(alice)
        try world.sync(alice)
        #expect(try world.group("room", of: alice).parkedRows == 0)
        #expect(try world.lines("room", alice).contains { $0.contains("rejoined alice") })
        try expectOneGroup(world)
    }

    /// The server may have counted the forged commit: it is told where the group is while the row is still there to be
    /// seen.
    @Test func aForgedCommitLeavesTheGroupsInfoAlive() throws {
        let world = try talk(48, strict: true)
        let (alice, bob) = (world.people[0], world.people[1])
        let crypto = alice.core.crypto
        let info = try #require(world.server.groups[try serverRoom(world)]?.groupInfo)
        // A joiner whose credential names no user: everyone refuses the commit.
        let ghost = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: []), signer: crypto.generateSignatureKey(world.entropy),
            crypto: crypto, entropy: world.entropy)
        world.server.insert([ghost.message], from: bob.id, into: try serverRoom(world))
        world.server.groups[try serverRoom(world)]?.epoch = ghost.baseEpoch
        world.server.groups[try serverRoom(world)]?.groupInfo = [1, 2, 3]
        try world.sync(alice)
        #expect(world.server.groups[try serverRoom(world)]?.epoch == ghost.baseEpoch - 1)
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try expectOneGroup(world)
    }
}
