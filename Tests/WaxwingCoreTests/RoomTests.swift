import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Who is in the room, against a server and members who lie: nobody enters unseen, and nothing leaves past a stranger.
@Suite struct RoomTests {
    private func talk(_ seed: UInt64, _ names: [String] = ["alice", "bob", "carol"], strict: Bool = false) throws
        -> World
    {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        for person in world.people { try say("\(person.name) was here", person, world) }
        try world.syncAll()
        return world
    }

    private func room(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func say(_ text: String, _ person: World.Person, _ world: World) throws {
        try world.perform(.send(group: room(world, person), text: text), person)
    }

    private func held(_ world: World, _ person: World.Person) throws -> [RoomRecord.Leaf] {
        try person.reader.room(room(world, person))?.holds ?? []
    }

    private func verify(_ other: World.Person, by person: World.Person, _ world: World) throws {
        let known = try #require(try person.reader.user(other.id))
        try world.perform(.verify(user: other.id, fingerprint: known.fingerprint), person)
    }

    private func waits(_ person: World.Person) throws -> Int { try person.reader.outbox().count { $0.state == .held } }

    // MARK: The door from outside

    /// The server lets somebody in of its own making. What is written before they are seen may be read by them; nothing after that is.
    @Test(arguments: [true, false], [true, false])
    func aGhostReadsNothing(isLogged: Bool, isKnown: Bool) throws {
        let world = try talk(301)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = isKnown ? world.server.register("mallory") : ID(Array(repeating: 7, count: 16))!
        let ghost = try Intruder(as: id, isLogged: isLogged, world)
        try ghost.putGroupInfo(world)
        try ghost.send("boo", world)
        try world.syncAll()
        for person in world.people { try say("a secret of \(person.name)", person, world) }
        try world.syncAll()
        ghost.listen(world)
        #expect(ghost.texts.isEmpty, "the ghost reads \(ghost.texts): \(world.report("room"))")
        for person in world.people {
            let isInside = try person.reader.room(room(world, person))?.leaves.contains { $0.user == id } ?? false
            guard isInside else { continue }
            #expect(try held(world, person).map(\.user) == [id])
            #expect(try waits(person) == 1, "\(world.report("room"))")
            #expect(
                try world.lines("room", person).contains { $0.contains("heldAsStranger") }, "\(world.report("room"))")
        }
        guard isLogged else { return }
        // Out with them, and what waited goes.
        try world.perform(.remove(group: room(world, alice), username: "mallory"), alice)
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
        let world = try talk(302)
        world.peopleRead = false
        let (alice, bob) = (world.people[0], world.people[1])
        if isVerified { try verify(bob, by: alice, world) }
        let thief = try Intruder(as: bob.id, world)
        try say("for bob alone", alice, world)
        try world.sync(alice)
        thief.listen(world)
        #expect(thief.texts.isEmpty, "\(world.report("room"))")
        #expect(try waits(alice) == 1, "\(world.report("room"))")
        #expect(
            try world.lines("room", alice).contains { $0.contains("deviceReplaced") && $0.contains("identityChanged") })
        try world.readNews(alice)
        try world.sync(alice)
        thief.listen(world)
        // Once it was shown, a key that was only seen before is taken for the user's new one. One that was verified is not.
        #expect(thief.texts.isEmpty == isVerified, "\(world.report("room"))")
        #expect(try waits(alice) == (isVerified ? 1 : 0))
        #expect(try alice.reader.user(bob.id)?.verified == isVerified, "the key that was compared stays so")
    }

    /// Nobody has two leaves, and nobody's leaf bears anything but a user id.
    @Test(arguments: [true, false])
    func secondLeavesAreRefusedByAll(strict: Bool) throws {
        let world = try talk(303, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        let epoch = try world.group("room", of: alice).epoch
        let double = try Intruder(as: bob.id, removing: false, world)
        try say("after the double", alice, world)
        try world.syncAll()
        double.listen(world)
        #expect(double.texts.isEmpty)
        #expect(try world.group("room", of: alice).epoch >= epoch)
        for person in world.people {
            #expect(try world.texts("room", person).contains("alice: after the double"), "\(world.report("room"))")
            #expect(try held(world, person).isEmpty)
        }
        try world.expectSameKeys("room")
    }

    /// Whoever was taken out does not come in again by the commit that once added them, put into the log once more.
    @Test func anOldCommitLetsNobodyInAgain() throws {
        let world = try talk(310, ["alice", "bob", "mallory"])
        world.server.readsHandshakes = false
        let (alice, mallory) = (world.people[0], world.people[2])
        let key = try #require(try mallory.reader.account()).signatureKey
        let signer = try alice.core.crypto.signatureKey(raw: key)
        let id = try #require(try world.group("room", of: alice).serverID)
        let adding = try #require(world.server.groups[id]?.log.first { $0.sequence == 3 }).message
        world.people.removeLast()
        try world.perform(.remove(group: room(world, alice), username: "mallory"), alice)
        try world.syncAll()
        // Its tag is not signed: with another one it is a row that nobody has seen.
        var again = adding
        again[again.count - 1] ^= 1
        world.server.insert([again], from: alice.id, into: id)
        let back = try Intruder(as: mallory.id, signer: signer, world)
        try world.syncAll()
        for person in world.people {
            try say("without mallory", person, world)
            try world.sync(person)
            #expect(try held(world, person).map(\.objection) == [.stranger], "\(world.report("room"))")
        }
        back.listen(world)
        #expect(back.texts.isEmpty)
    }

    /// A key that is held does not become another matter by one more change of it.
    @Test func aHeldKeyIsNotLaundered() throws {
        let world = try talk(311)
        let (alice, bob) = (world.people[0], world.people[1])
        try verify(bob, by: alice, world)
        for _ in 0..<2 {
            _ = try Intruder(as: bob.id, world)
            let id = try #require(try world.group("room", of: alice).serverID)
            try world.sync(alice)
            world.server.groups[id]?.groupInfo = try alice.core.groupInfoForTests(room(world, alice), world)
        }
        try say("for the bob I know", alice, world)
        try world.sync(alice)
        #expect(try held(world, alice).map(\.objection) == [.notTheVerifiedKey], "\(world.report("room"))")
        #expect(try waits(alice) == 1)
    }

    // MARK: Members with a client of their own

    private func keyPackage(_ identity: [UInt8], _ signer: SignaturePrivateKey, _ world: World) throws -> KeyPackage {
        try KeyPackageBundle.generate(
            crypto: world.people[0].core.crypto, identity: .basic(identity: identity), signer: signer,
            lifetime: Lifetime(notBefore: world.now.wall.seconds - 10, notAfter: world.now.wall.seconds + 100_000),
            entropy: world.entropy
        ).keyPackage
    }

    /// An ordinary member adds somebody: all are told, and nothing is written past them.
    @Test func whatANonAdminAddsIsHeld() throws {
        let world = try talk(304, ["alice", "bob", "mallory"])
        let alice = world.people[0]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        world.server.readsHandshakes = false
        let ghost = world.server.register("ghost")
        let key = try alice.core.crypto.generateSignatureKey(world.entropy)
        try mallory.commit([.add(try keyPackage(ghost.bytes, key, world))], world)
        let id = try #require(try world.group("room", of: alice).serverID)
        world.server.groups[id]?.members.append(ghost)
        for person in world.people {
            try world.sync(person)
            try say("past the ghost", person, world)
            try world.sync(person)
            #expect(try held(world, person).map(\.objection) == [.addedByNonAdmin], "\(world.report("room"))")
            #expect(try waits(person) == 1)
        }
        #expect(try !world.texts("room", alice).contains("bob: past the ghost"))
        // A person decides, for this key alone.
        let leaf = try #require(try held(world, alice).first)
        #expect(throws: CoreError.self) {
            try world.perform(.acceptMember(group: leaf.user, user: leaf.user, fingerprint: leaf.fingerprint), alice)
        }
        let room = try room(world, alice)
        #expect(throws: CoreError(.notAllowed, "")) {
            try world.perform(.acceptMember(group: room, user: leaf.user, fingerprint: "00"), alice)
        }
        try world.perform(.acceptMember(group: room, user: leaf.user, fingerprint: leaf.fingerprint), alice)
        #expect(try waits(alice) == 0)
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]).contains("alice: past the ghost"), "\(world.report("room"))")
        // Alice is an admin: her word goes for all.
        #expect(try held(world, world.people[1]).isEmpty, "\(world.report("room"))")
    }

    /// An admin's client commits whatever was proposed: it is the proposer who has to be one.
    @Test func whatANonAdminProposesIsHeld() throws {
        let world = try talk(313, ["alice", "bob", "mallory"])
        let bob = world.people[1]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        let admin = try ForeignClient(insteadOf: world.people[0], in: "room", world)
        let id = try #require(try world.group("room", of: bob).serverID)
        let ghost = world.server.register("ghost")
        let key = try bob.core.crypto.generateSignatureKey(world.entropy)
        let package = try keyPackage(ghost.bytes, key, world)
        try admin.commit(proposed: mallory.propose(adding: package, world), world)
        world.server.groups[id]?.members.append(ghost)
        try say("past the ghost", bob, world)
        try world.sync(bob)
        let leaf = try #require(try held(world, bob).first, "\(world.report("room"))")
        #expect(leaf.user == ghost && leaf.objection == .addedByNonAdmin && leaf.by != bob.id)
        #expect(try waits(bob) == 1)
    }

    enum Wrong: CaseIterable { case reInit, psk, identity, externalSenders }

    /// What would end the group, shut members out or let in nobodies is refused, and the group goes on.
    @Test(arguments: Wrong.allCases, [true, false])
    func whatAllRefuseIsRefused(_ wrong: Wrong, strict: Bool) throws {
        let world = try talk(305, ["alice", "bob", "mallory"], strict: strict)
        let alice = world.people[0]
        let mallory = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        switch wrong {
        case .reInit:
            try mallory.commit(
                [.reInit(ReInit(groupID: [1, 2], cipherSuite: alice.core.crypto.suite.identifier, extensions: []))],
                world)
        case .psk:
            let id = PreSharedKeyID(source: .external(id: [9]), nonce: world.entropy.bytes(64))
            try mallory.commit(
                [.preSharedKey(id)], psks: [PreSharedKey(source: id.source, secret: Secret([1, 2, 3]))], world)
        case .identity:
            let key = try alice.core.crypto.generateSignatureKey(world.entropy)
            try mallory.commit([.add(try keyPackage(Array("nobody".utf8), key, world))], world)
        case .externalSenders:
            let key = try alice.core.crypto.generateSignatureKey(world.entropy)
            let sender = ExternalSender(signatureKey: key.publicKey, credential: .basic(identity: [3]))
            var writer = TLSWriter()
            writer.writeVector([sender])
            try mallory.commit([.groupContextExtensions([Extension(.externalSenders, data: writer.bytes)])], world)
        }
        for person in world.people { try say("\(person.name) goes on", person, world) }
        try world.syncAll()
        for person in world.people {
            let texts = try world.texts("room", person).filter { $0.hasSuffix("goes on") }
            #expect(texts.count == 2, "\(wrong), \(person.name): \(world.report("room"))")
            #expect(try held(world, person).isEmpty)
        }
        try world.expectSameKeys("room")
    }

    /// Any member can put another's leaf on the outside of a sealed handshake (RFC 9420 §6.3.2): that makes nobody come back with new keys.
    @Test func aSealedHandshakeInOurNameMovesNothing() throws {
        let world = try talk(312)
        let alice = world.people[0]
        let group = try world.group("room", of: alice)
        let records = alice.store.page(
            .groupState, from: group.id.bytes, below: Record.key(afterPrefix: group.id.bytes), limit: .max,
            descending: false)
        var configuration = GroupConfiguration.room
        configuration.handshakeEncryption = true
        var copy = try MLS.Group.restore(
            records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: alice.core.crypto,
            configuration: configuration)
        let key = try #require(try alice.reader.account()).signatureKey
        let signer = try alice.core.crypto.signatureKey(raw: key)
        let sealed = try copy.commit(
            [], includePending: false, signer: signer, now: world.now.wall.seconds, entropy: world.entropy
        ).message
        world.server.insert([sealed], from: world.people[1].id, into: try #require(group.serverID))
        try world.sync(alice)
        #expect(try world.group("room", of: alice).epoch == group.epoch)
        #expect(try alice.reader.outbox().isEmpty, "\(world.report("room"))")
        #expect(try world.lines("room", alice).last?.contains("unreadable forged") == true, "\(world.report("room"))")
    }

    // MARK: Invites

    /// The server hands out a key package of its own for somebody whose key is known.
    @Test(arguments: [true, false])
    func anotherKeyIsNotInvited(isVerified: Bool) throws {
        let world = try talk(306)
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
        guard case .failed(let why) = row.state else { return }
        #expect(why.contains(isVerified ? "verified" : "saw before") && why.contains("trust verify"), "\(why)")
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
        let world = try talk(307, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        let dave = try world.add("dave")
        try world.sync(dave)
        try world.perform(.invite(group: room(world, alice), username: "dave"), alice)
        try world.sync(alice)
        try world.sync(dave)
        try world.perform(.accept(invite: try #require(try dave.reader.invites().first).id), dave)
        try world.sync(dave)
        try world.syncAll()
        for person in world.people { #expect(try held(world, person).isEmpty, "\(world.report("room"))") }
        let before = bob.notices.count
        for text in ["hello", "hello again"] {
            try say(text, bob, world)
            try world.sync(bob)
        }
        let reached = bob.notices[before...].compactMap {
            if case .reached(_, let users) = $0 { users } else { nil }
        }
        #expect(reached == [[dave.id]])
        let leaf = try #require(try bob.reader.room(room(world, bob))?.leaf(of: dave.id))
        #expect(leaf.way == .added && leaf.by == alice.id && leaf.since > 0 && !leaf.isNew)
        let found = try #require(try dave.reader.room(room(world, dave))?.leaf(of: bob.id))
        #expect(found.way == .vouchedFor && found.by == alice.id)
    }

    // MARK: How much to ask

    @Test(arguments: TrustLevel.allCases) func aLevelDecidesWhatIsHeld(_ level: TrustLevel) throws {
        let world = try talk(308)
        world.peopleRead = false
        let alice = world.people[0]
        try world.perform(.trust(level, group: room(world, alice)), alice)
        let bob = try world.replaceDevice(of: world.people[1])
        try world.sync(bob)
        try say("to whoever bob is now", alice, world)
        try world.sync(alice)
        let standing = try alice.reader.room(room(world, alice))?.leaf(of: bob.id)?.standing
        #expect(standing == [.usual: .untold, .follow: .accepted, .strict: .held][level], "\(world.report("room"))")
        #expect(try waits(alice) == (level == .follow ? 0 : 1))
        #expect(try world.lines("room", alice).contains { $0.contains("deviceReplaced") }, "no level hides the lines")
    }

    // MARK: Records

    /// A profile of before there were room records: whoever is there is known, and nothing is held.
    @Test func aProfileOfBeforeKnowsWhoIsThere() throws {
        let world = try talk(309)
        let (alice, bob) = (world.people[0], world.people[1])
        let id = try room(world, alice)
        var changes = ChangeSet(base: alice.store.revision())
        changes.changes.append(.delete(.membership, key: Keys.room(id)))
        _ = try alice.store.commit(changes)
        try world.crash(alice)
        try world.perform(.rotate(group: room(world, bob)), bob)
        try world.sync(bob)
        try say("still here", alice, world)
        try world.syncAll()
        #expect(try held(world, alice).isEmpty)
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
