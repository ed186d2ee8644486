import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Who is in the room, against a server and members who lie: no one enters unseen, and nothing leaves past a stranger.
@Suite struct RoomTests {
    private func verify(_ other: World.Person, by person: World.Person, _ world: World) throws {
        let known = try #require(try person.reader.user(other.id))
        try world.perform(.verify(user: other.id, fingerprint: known.fingerprint), person)
    }

    private func waits(_ person: World.Person) throws -> Int { try person.reader.outbox().count { $0.state == .held } }

    // MARK: The door from outside

    /// The server lets in someone it made up. They may read what is written before they are seen, but nothing after
    /// that.
    @Test(arguments: [true, false], [true, false])
    func aGhostReadsNothing(isLogged: Bool, isKnown: Bool) throws {
        let world = try World.talking(301)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = isKnown ? world.server.register("mallory") : ID(Array(repeating: 7, count: 16))!
        let ghost = try Intruder(as: id, isLogged: isLogged, world)
        try ghost.putGroupInfo(world)
        try ghost.send("boo", world)
        try world.syncAll()
        for person in world.people { try world.say("a secret of \(person.name)", person) }
        try world.syncAll()
        ghost.listen(world)
        #expect(ghost.texts.isEmpty, "the ghost reads \(ghost.texts): \(world.report("room"))")
        for person in world.people {
            let isInside = try person.reader.room(world.room(of: person))?.leaves.contains { $0.user == id } ?? false
            guard isInside else { continue }
            #expect(try world.held(person).map(\.user) == [id])
            #expect(try waits(person) == 1, "\(world.report("room"))")
            #expect(
                try world.lines("room", person).contains { $0.contains("heldAsStranger") }, "\(world.report("room"))")
        }
        guard isLogged else { return }
        // They are removed, and what waited goes out.
        try world.perform(.remove(group: world.room(of: alice), username: "mallory"), alice)
        if !isKnown { return }
        try world.syncAll()
        ghost.listen(world)
        #expect(ghost.texts.isEmpty)
        #expect(try world.texts("room", bob).contains("alice: a secret of alice"), "\(world.report("room"))")
        #expect(try waits(alice) == 0 && waits(bob) == 0)
    }

    /// A member takes another's place, with that one's id and a key of their own.
    @Test(arguments: [true, false])
    func whoTakesAnothersPlaceReadsNothingUnseen(isVerified: Bool) throws {
        let world = try World.talking(302)
        world.peopleRead = false
        let (alice, bob) = (world.people[0], world.people[1])
        if isVerified { try verify(bob, by: alice, world) }
        let thief = try Intruder(as: bob.id, world)
        try world.say("for bob alone", alice)
        try world.sync(alice)
        thief.listen(world)
        #expect(thief.texts.isEmpty, "\(world.report("room"))")
        #expect(try waits(alice) == 1, "\(world.report("room"))")
        #expect(
            try world.lines("room", alice).contains { $0.contains("deviceReplaced") && $0.contains("identityChanged") })
        try world.readNews(alice)
        try world.sync(alice)
        thief.listen(world)
        // A key that was only seen before is replaced by the new one once that was shown. One that was verified is not.
        #expect(thief.texts.isEmpty == isVerified, "\(world.report("room"))")
        #expect(try waits(alice) == (isVerified ? 1 : 0))
        #expect(try alice.reader.user(bob.id)?.verified == isVerified, "the key that was compared stays so")
    }

    /// No one has two leaves, and no one's leaf has anything but a user id.
    @Test(arguments: [true, false])
    func secondLeavesAreRefusedByAll(strict: Bool) throws {
        let world = try World.talking(303, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        let epoch = try world.group("room", of: alice).epoch
        let double = try Intruder(as: bob.id, removing: false, world)
        try world.say("after the double", alice)
        try world.syncAll()
        double.listen(world)
        #expect(double.texts.isEmpty)
        #expect(try world.group("room", of: alice).epoch >= epoch)
        for person in world.people {
            #expect(try world.texts("room", person).contains("alice: after the double"), "\(world.report("room"))")
            #expect(try world.held(person).isEmpty)
        }
        try world.expectSameKeys("room")
    }

    /// Someone who was removed does not get in again by the commit that once added them, put into the log again.
    @Test func anOldCommitLetsNobodyInAgain() throws {
        let world = try World.talking(310, ["alice", "bob", "mallory"])
        world.server.readsHandshakes = false
        let (alice, mallory) = (world.people[0], world.people[2])
        let key = try #require(try mallory.reader.account()).signatureKey
        let signer = try alice.core.crypto.signatureKey(raw: key)
        let id = try #require(try world.group("room", of: alice).serverID)
        let adding = try #require(world.server.groups[id]?.log.first { $0.sequence == 3 }).message
        world.people.removeLast()
        try world.perform(.remove(group: world.room(of: alice), username: "mallory"), alice)
        try world.syncAll()
        // Its tag is not signed: with another one, it is a row that no one has seen.
        var again = adding
        again[again.count - 1] ^= 1
        world.server.insert([again], from: alice.id, into: id)
        let back = try Intruder(as: mallory.id, signer: signer, world)
        try world.syncAll()
        for person in world.people {
            try world.say("without mallory", person)
            try world.sync(person)
            #expect(try world.held(person).map(\.objection) == [.stranger], "\(world.report("room"))")
        }
        back.listen(world)
        #expect(back.texts.isEmpty)
    }

    /// A held key does not become acceptable by one more change of it.
    @Test func aHeldKeyIsNotLaundered() throws {
        let world = try World.talking(311)
        let (alice, bob) = (world.people[0], world.people[1])
        try verify(bob, by: alice, world)
        for _ in 0..<2 {
            _ = try Intruder(as: bob.id, world)
            let id = try #require(try world.group("room", of: alice).serverID)
            try world.sync(alice)
            world.server.groups[id]?.groupInfo = try alice.core.groupInfoForTests(world.room(of: alice), world)
        }
        try world.say("for the bob I know", alice)
        try world.sync(alice)
        #expect(try world.held(alice).map(\.objection) == [.notTheVerifiedKey], "\(world.report("room"))")
        #expect(try waits(alice) == 1)
    }

    // MARK: Members with a client of their own

    /// An ordinary member adds someone: all are told, and nothing is written past them.
    @Test func whatANonAdminAddsIsHeld() throws {
        let world = try World.talking(304, ["alice", "bob", "mallory"])
        let alice = world.people[0]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        world.server.readsHandshakes = false
        let ghost = world.server.register("ghost")
        let key = try alice.core.crypto.generateSignatureKey(world.entropy)
        try mallory.commit([.add(try world.keyPackage(ghost.bytes, key))], world)
        let id = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[id]?.members.append(ghost)
        for person in world.people {
            try world.sync(person)
            try world.say("past the ghost", person)
            try world.sync(person)
            #expect(try world.held(person).map(\.objection) == [.addedByNonAdmin], "\(world.report("room"))")
            #expect(try waits(person) == 1)
        }
        #expect(try !world.texts("room", alice).contains("bob: past the ghost"))
        // A person decides, for this key only.
        let leaf = try #require(try world.held(alice).first)
        #expect(throws: CoreError.self) {
            try world.perform(.acceptMember(group: leaf.user, user: leaf.user, fingerprint: leaf.fingerprint), alice)
        }
        let room = try world.room(of: alice)
        #expect(throws: CoreError.memberChanged) {
            try world.perform(.acceptMember(group: room, user: leaf.user, fingerprint: "00"), alice)
        }
        try world.perform(.acceptMember(group: room, user: leaf.user, fingerprint: leaf.fingerprint), alice)
        #expect(try waits(alice) == 0)
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]).contains("alice: past the ghost"), "\(world.report("room"))")
        // Alice is an admin: her word counts for all.
        #expect(try world.held(world.people[1]).isEmpty, "\(world.report("room"))")
    }

    /// An admin's client commits whatever was proposed: it is the proposer who has to be an admin.
    @Test func whatANonAdminProposesIsHeld() throws {
        let world = try World.talking(313, ["alice", "bob", "mallory"])
        let bob = world.people[1]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        let admin = try ForeignClient(insteadOf: world.people[0], in: "room", world)
        let id = try #require(try world.group("room", of: bob).serverID)
        let ghost = world.server.register("ghost")
        let key = try bob.core.crypto.generateSignatureKey(world.entropy)
        let package = try world.keyPackage(ghost.bytes, key)
        try admin.commit(proposed: mallory.propose(adding: package, world), world)
        world.server.groups[id]?.members.append(ghost)
        try world.say("past the ghost", bob)
        try world.sync(bob)
        let leaf = try #require(try world.held(bob).first, "\(world.report("room"))")
        #expect(leaf.user == ghost && leaf.objection == .addedByNonAdmin && leaf.by != bob.id)
        #expect(try waits(bob) == 1)
    }

    // MARK: Invites

    /// The server hands out a key package of its own for someone whose key is known.
    @Test(arguments: [true, false])
    func anotherKeyIsNotInvited(isVerified: Bool) throws {
        let world = try World.talking(306)
        let (alice, carol) = (world.people[0], world.people[2])
        if isVerified { try verify(carol, by: alice, world) }
        try world.perform(.createGroup(name: "other", alias: ""), alice)
        try world.sync(alice)
        let other = try world.replaceDevice(of: carol)
        try world.step(.connect(live: false), other)
        try world.settle([other])
        try world.perform(.invite(group: world.group("other", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        let row = try #require(try alice.reader.outbox().first { $0.isFailed })
        #expect(row.failure == .otherKey(user: carol.id, wasVerified: isVerified))
        #expect(world.server.groups.values.first { $0.name == "other" }?.invites.isEmpty == true)
        // She reads the new key to alice.
        let key = try #require(try other.reader.account()).fingerprint
        try world.perform(.verify(user: carol.id, fingerprint: key), alice)
        try world.perform(.invite(group: world.group("other", of: alice).id, username: "carol"), alice)
        try world.sync(alice)
        #expect(world.server.groups.values.first { $0.name == "other" }?.invites.count == 1, "\(world.report("other"))")
    }

    /// An honest invite holds nothing, and the first message tells whom it reaches.
    @Test(arguments: [true, false])
    func anHonestInviteHoldsNothing(strict: Bool) throws {
        let world = try World.talking(307, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        let dave = try world.add("dave")
        try world.sync(dave)
        try world.perform(.invite(group: world.room(of: alice), username: "dave"), alice)
        try world.sync(alice)
        try world.sync(dave)
        try world.perform(.accept(invite: try #require(try dave.reader.invites().first).id), dave)
        try world.sync(dave)
        try world.syncAll()
        for person in world.people { #expect(try world.held(person).isEmpty, "\(world.report("room"))") }
        let before = bob.notices.count
        for text in ["hello", "hello again"] {
            try world.say(text, bob)
            try world.sync(bob)
        }
        let reached = bob.notices[before...].compactMap {
            if case .reached(_, let users) = $0 { users } else { nil }
        }
        #expect(reached == [[dave.id]])
        let leaf = try #require(try bob.reader.room(world.room(of: bob))?.leaf(of: dave.id))
        #expect(leaf.way == .added && leaf.by == alice.id && leaf.since > 0 && !leaf.isNew)
        let found = try #require(try dave.reader.room(world.room(of: dave))?.leaf(of: bob.id))
        #expect(found.way == .vouchedFor && found.by == alice.id)
    }

    // MARK: How much to ask

    @Test(arguments: TrustLevel.allCases) func aLevelDecidesWhatIsHeld(_ level: TrustLevel) throws {
        let world = try World.talking(308)
        world.peopleRead = false
        let alice = world.people[0]
        try world.perform(.trust(level, group: world.room(of: alice)), alice)
        let bob = try world.replaceDevice(of: world.people[1])
        try world.sync(bob)
        try world.say("to whoever bob is now", alice)
        try world.sync(alice)
        let standing = try alice.reader.room(world.room(of: alice))?.leaf(of: bob.id)?.standing
        #expect(standing == [.usual: .untold, .follow: .accepted, .strict: .held][level], "\(world.report("room"))")
        #expect(try waits(alice) == (level == .follow ? 0 : 1))
        #expect(try world.lines("room", alice).contains { $0.contains("deviceReplaced") }, "no level hides the lines")
    }

    // MARK: Records

    /// A profile from before there were room records: everyone who is there is known, and nothing is held.
    @Test func aProfileOfBeforeKnowsWhoIsThere() throws {
        let world = try World.talking(309)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = try world.room(of: alice)
        var changes = ChangeSet(base: alice.store.revision())
        changes.changes.append(.delete(.membership, key: Keys.roomHead(id)))
        changes.changes.append(.deletePrefix(.membership, prefix: Keys.roomLeaves(id)))
        _ = try alice.store.commit(changes)
        try world.crash(alice)
        try world.perform(.rotate(group: world.room(of: bob)), bob)
        try world.sync(bob)
        try world.say("still here", alice)
        try world.syncAll()
        #expect(try world.held(alice).isEmpty)
        #expect(try alice.reader.room(id)?.leaf(of: bob.id)?.way == .earlier)
        #expect(try world.texts("room", bob).contains("alice: still here"))
    }

    @Test func recordsAreReadAsTheyWereWritten() throws {
        var room = RoomRecord()
        let user = ID(Array(repeating: 3, count: 16))!
        room.leaves = [
            RoomRecord.Leaf(
                index: 4, user: user, key: Array(repeating: 1, count: 57), digest: Array(repeating: 2, count: 32),
                way: .external, by: user, standing: .held, objection: .stranger, epoch: 7, since: 9, isNew: true,
                vouching: .wanted)
        ]
        room.trust = .strict
        room.noteAwaited(user, key: [5], digest: [], by: user, epoch: 6)
        #expect(try RoomRecord(stored: room.stored) == room)
        for count in 0..<200 { room.noteAwaited(user, key: [UInt8(count)], digest: [], by: user, epoch: 6) }
        #expect(try RoomRecord(stored: room.stored).madeAt(user, [199]) == 6)
        #expect(room.stored.count < 64 * 80 + 400)
        let note = VouchNote([.init(user: user, digest: Array(repeating: 8, count: 32))])
        #expect(VouchNote(authenticatedData: note.authenticatedData) == note)
        #expect(VouchNote(authenticatedData: note.authenticatedData.dropLast()) == nil)
        #expect(VouchNote(authenticatedData: []) == nil)
    }
}
