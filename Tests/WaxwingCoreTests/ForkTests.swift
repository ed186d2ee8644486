import ConclaveProtocol
import MLSOpenSSL
import Testing

@testable import MLS
@testable import WaxwingCore

/// A log with holes, two logs instead of one, and a profile that is behind its own past.
@Suite struct ForkTests {
    private func say(_ text: String, _ person: World.Person, _ world: World) throws {
        try world.say(text, person)
        try world.sync(person)
    }

    private func rotate(_ person: World.Person, _ world: World) throws {
        try world.perform(.rotate(group: world.room(of: person)), person)
        try world.sync(person)
    }

    private func room(of names: [String], seed: UInt64, strict: Bool) throws -> (world: World, room: ID) {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        try world.syncAll()
        return (world, try #require(try world.group("room", of: world.people[0]).serverID))
    }

    /// The server removes two of bob's messages from the log and renumbers the rest.
    @Test(arguments: [false, true])
    func whatTheServerKeepsBackIsCounted(strict: Bool) throws {
        let (world, room) = try room(of: ["alice", "bob"], seed: 301, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        for number in 1...4 { try say("\(number)", bob, world) }
        let rows = try #require(world.server.groups[room]?.log)
        let dropped = rows.suffix(3).prefix(2)
        world.server.groups[room]?.log.removeAll { row in dropped.contains { $0.sequence == row.sequence } }
        let last = try #require(world.server.groups[room]?.log.last)
        world.server.groups[room]?.log.removeLast()
        var moved = last
        moved.sequence -= 2
        world.server.groups[room]?.log.append(moved)
        world.server.groups[room]?.lastSequence = last.sequence - 2
        try world.sync(alice)
        #expect(try world.texts("room", alice) == ["bob: 1", "bob: 4"])
        for person in [alice, bob, alice] {
            try rotate(person, world)
            try world.syncAll(rounds: 2)
        }
        #expect(try missing(alice, world) == [bob.id: 2])
        #expect(try missing(bob, world) == [:])
    }

    /// A message that is only late is not missed.
    @Test func whatComesLateIsNotMissing() throws {
        let (world, room) = try room(of: ["alice", "bob"], seed: 302, strict: false)
        let (alice, bob) = (world.people[0], world.people[1])
        for number in 1...3 { try say("\(number)", bob, world) }
        let late = try #require(world.server.groups[room]?.log.dropLast().last)
        world.server.groups[room]?.log.removeAll { $0.sequence == late.sequence }
        try world.sync(alice)
        try rotate(alice, world)
        // It comes in the next epoch.
        let end = try #require(world.server.groups[room]?.lastSequence) + 1
        world.server.groups[room]?.log.append(
            ModelServer.Row(sequence: end, sender: late.sender, message: late.message, time: late.time))
        world.server.groups[room]?.lastSequence = end
        try world.sync(alice)
        for _ in 0..<3 {
            try rotate(alice, world)
            try world.syncAll(rounds: 1)
        }
        #expect(try world.texts("room", alice) == ["bob: 1", "bob: 3", "bob: 2"])
        #expect(try missing(alice, world) == [:])
    }

    private func missing(_ person: World.Person, _ world: World) throws -> [ID: UInt32] {
        var counts: [ID: UInt32] = [:]
        for entry in try person.reader.history(world.room(of: person), limit: 1_000) {
            guard case .system(let events) = entry.row.content else { continue }
            for event in events where event.kind == .missing { counts[event.subject, default: 0] += event.count }
        }
        return counts
    }

    /// For a while, the server shows carol another log than the rest, in which she goes on alone. Then all see the same
    /// one.
    @Test(arguments: [false, true], [1, 6])
    func twoWorldsBecomeOne(strict: Bool, lead: Int) throws {
        let (world, room) = try room(of: ["alice", "bob", "carol"], seed: 310 + UInt64(lead), strict: strict)
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        let common = try #require(world.server.groups[room])
        try rotate(bob, world)
        try say("in the one", bob, world)
        try world.sync(alice)
        let one = try #require(world.server.groups[room])
        world.server.groups[room] = common
        for number in 1...lead {
            try rotate(carol, world)
            try say("in the other \(number)", carol, world)
        }
        world.server.groups[room] = one
        for _ in 0..<4 { for person in world.people { try world.sync(person) } }
        for person in world.people { try say("\(person.name) again", person, world) }
        for _ in 0..<3 { for person in world.people { try world.sync(person) } }
        try world.expectSameKeys("room")
        for person in world.people {
            let texts = try world.texts("room", person)
            for other in world.people {
                #expect(texts.contains("\(other.name): \(other.name) again"), "\(world.report("room"))")
            }
            // What she said alone, she says again.
            let alone = texts.filter { $0.hasPrefix("carol: in the other") }
            #expect(alone == (1...lead).map { "carol: in the other \($0)" }, "\(person.name): \(world.report("room"))")
            #expect(try person.reader.outbox().isEmpty)
        }
        // She is told; the others saw nothing of it.
        #expect(try events(.logReplaced, carol, world) == [bob.id])
        #expect(try events(.logReplaced, alice, world).isEmpty)
        let reasons = try carol.reader.history(world.room(of: carol), limit: 1_000).compactMap {
            if case .unreadable(let why) = $0.row.content { why } else { nil }
        }
        #expect(Set(reasons).isSubset(of: [.otherLog, .lostState]), "\(reasons)")
    }

    /// A commit of someone who was expelled, shown by a server that helps them, brings no one over to their side.
    @Test func noOneFollowsTheExpelledIntoAnotherLog() throws {
        let (world, room) = try room(of: ["alice", "bob", "mallory"], seed: 320, strict: false)
        let (alice, bob, mallory) = (world.people[0], world.people[1], world.people[2])
        let common = try #require(world.server.groups[room])
        try world.perform(
            .remove(group: world.room(of: alice), username: "mallory"), alice)
        try world.sync(alice)
        try world.sync(bob)
        let epoch = try world.group("room", of: bob).epoch
        world.server.groups[room] = common
        try rotate(mallory, world)
        for _ in 0..<4 { for person in [alice, bob] { try world.sync(person) } }
        #expect(try events(.logReplaced, bob, world) == [mallory.id])
        for person in [alice, bob] {
            #expect(try world.group("room", of: person).epoch >= epoch)
            let details = try #require(try person.core.details(of: world.room(of: person)))
            #expect(!details.members.contains { $0.user == mallory.id }, "\(world.report("room"))")
        }
    }

    private func events(_ kind: SystemEvent.Kind, _ person: World.Person, _ world: World) throws -> [ID] {
        try person.reader.history(world.room(of: person), limit: 1_000).flatMap { entry -> [ID] in
            guard case .system(let events) = entry.row.content else { return [] }
            return events.filter { $0.kind == kind }.map(\.actor)
        }
    }

    /// The whole machine is restored, and nothing in the profile shows it; but the log has what it wrote since. One
    /// message is no proof, as its key has been used again before the log was read: what was sealed with it is sealed
    /// again.
    @Test(arguments: [false, true], [1, 2])
    func whatWeWroteOurselvesShowsThatWeWerePutBack(strict: Bool, forgotten: Int) throws {
        let (world, _) = try room(of: ["alice", "bob"], seed: 330, strict: strict)
        let (alice, bob) = (world.people[0], world.people[1])
        try say("before", alice, world)
        let backup = alice.store.content
        for number in 1...forgotten { try say("forgotten \(number)", alice, world) }
        alice.store.restore(backup)
        try world.crash(alice)
        let epoch = try world.group("room", of: alice).epoch
        alice.notices = []
        try say("after", alice, world)
        try world.syncAll()
        let isProven = forgotten > 1
        #expect(alice.notices.contains { if case .writtenElsewhere = $0 { true } else { false } } == isProven)
        #expect(try (world.group("room", of: alice).epoch > epoch) == isProven)
        let all = ["before", "forgotten 1", "forgotten 2", "after"].map { "alice: " + $0 }
        #expect(try world.texts("room", bob) == all.filter { isProven || !$0.hasSuffix("2") })
        #expect(try world.texts("room", alice) == all.filter { !$0.hasSuffix("1") && (isProven || !$0.hasSuffix("2")) })
        let reasons = try alice.reader.history(world.room(of: alice), limit: 1_000).compactMap {
            if case .unreadable(let why) = $0.row.content { why } else { nil }
        }
        #expect(reasons == [.ownLostState], "\(world.report("room"))")
        try world.expectSameKeys("room")
        for person in world.people { #expect(try person.reader.outbox().isEmpty) }
    }

    /// Both have it in the outbox, and one has sent it.
    @Test func whatBothCopiesWantToSendIsSentOnce() throws {
        let (world, _) = try room(of: ["alice", "bob"], seed: 332, strict: false)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.say("waits", alice)
        let backup = alice.store.content
        try world.sync(alice)
        alice.store.restore(backup)
        try world.crash(alice)
        try world.syncAll()
        for person in [alice, bob] { #expect(try world.texts("room", person) == ["alice: waits"]) }
        #expect(try alice.reader.outbox().isEmpty)
    }

    /// A member puts our name on the outside of what they send: that changes nothing, and is not a message of ours.
    @Test func nobodyElseMakesUsBelieveThat() throws {
        let (world, room) = try room(of: ["alice", "bob"], seed: 331, strict: false)
        let (alice, bob) = (world.people[0], world.people[1])
        try say("true", alice, world)
        try world.sync(bob)
        // The row that alice sent, with another end.
        var row = try #require(world.server.groups[room]?.log.last)
        row.message[row.message.count - 1] ^= 1
        row.sequence += 1
        row.sender = bob.id
        world.server.groups[room]?.log.append(row)
        world.server.groups[room]?.lastSequence = row.sequence
        let epoch = try world.group("room", of: alice).epoch
        alice.notices = []
        try world.syncAll()
        #expect(!alice.notices.contains { if case .writtenElsewhere = $0 { true } else { false } })
        #expect(try world.group("room", of: alice).epoch == epoch)
        let last = try alice.reader.lastHistory(world.room(of: alice), limit: 1).last?.row
        #expect(last?.content == .unreadable(.forged))
    }

    /// Two copies of a profile go on beside each other. The one that is put out is told why, and takes its place back
    /// if its person wants that.
    @Test func ofTwoCopiesOneIsInTheRoom() throws {
        let (world, _) = try room(of: ["alice", "bob"], seed: 335, strict: true)
        let (alice, bob) = (world.people[0], world.people[1])
        let content = alice.store.content
        let copy = try World.Person("alice", alice.id) { store in
            store.restore(content)
            return try ClientCore(store: store, provider: OpenSSLProvider(), entropy: world.entropy)
        }
        try say("from the copy", copy, world)
        try world.sync(alice)
        #expect(alice.notices.contains { if case .writtenElsewhere = $0 { true } else { false } })
        for person in [copy, alice, copy, alice] { try world.sync(person) }
        #expect(try world.group("room", of: alice).status == .removed)
        #expect(try events(.copyTookOver, alice, world) == [alice.id], "\(world.report("room"))")
        try say("the copy goes on", copy, world)
        // It waits until another member goes by where it joined.
        for person in [bob, copy, bob] { try world.sync(person) }
        #expect(
            try world.texts("room", bob) == ["alice: from the copy", "alice: the copy goes on"],
            "\(world.report("room"))")

        try world.perform(.rejoin(group: world.room(of: alice)), alice)
        for person in [alice, copy, alice, bob] { try world.sync(person) }
        #expect(try world.group("room", of: alice).status == .active)
        #expect(try world.group("room", of: copy).status == .removed)
        try say("back again", alice, world)
        for person in [bob, alice, bob] { try world.sync(person) }
        #expect(try world.texts("room", bob).last == "alice: back again")
        try world.expectSameKeys("room")
    }

    /// A member seals again what we have signed, under later keys of ours (RFC 9420 §6.3.2): no one believes that the
    /// profile runs twice, and no messages are missed or lost.
    @Test(arguments: [0, 1_000])
    func whatAMemberSealsAgainProvesNothing(ahead: Int) throws {
        let world = try World.talking(340, ["alice", "bob", "carol"])
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try #require(try world.group("room", of: alice).serverID)
        try say("says", alice, world)
        let said = try #require(world.server.groups[room]?.log.last?.message)
        world.server.insert([try sealedAgain(said, by: bob, ahead: ahead, world)], from: bob.id, into: room)
        let epoch = try world.group("room", of: alice).epoch
        for person in world.people { person.notices = [] }
        for person in world.people { try world.sync(person) }
        for number in 1...2 { try say("goes on \(number)", alice, world) }
        for person in world.people { try rotate(person, world) }
        try world.syncAll()
        #expect(!alice.notices.contains { if case .writtenElsewhere = $0 { true } else { false } })
        #expect(try world.group("room", of: alice).epoch == epoch + 3, "\(world.report("room"))")
        for person in world.people {
            #expect(try missing(person, world) == [:], "\(world.report("room"))")
            let texts = try world.texts("room", person).filter { $0.hasPrefix("alice: ") }
            #expect(texts == ["alice was here", "says", "goes on 1", "goes on 2"].map { "alice: " + $0 })
        }
    }

    /// The signed content of a message that a member has not opened yet, under a key of its sender that comes this many
    /// after the next.
    private func sealedAgain(_ message: [UInt8], by member: World.Person, ahead: Int, _ world: World) throws
        -> [UInt8]
    {
        let room = try world.room(of: member)
        let records = member.store.page(
            .groupState, from: room.bytes, below: Record.key(afterPrefix: room.bytes), limit: .max, descending: false)
        let crypto = member.core.crypto
        let state = try MLS.Group.restore(
            records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: crypto, configuration: .room)
        guard case .privateMessage(let sealed) = try MLSMessage(decoding: message) else { return [] }
        let keys = try #require(state.messageKeys(ofEpoch: sealed.epoch))
        let sender = try sealed.openSenderData(senderDataSecret: keys.senderData, crypto: crypto)
        let ratchet = SecretTree.RatchetID(leaf: sender.leaf, kind: .application)
        let key = try keys.secretTree.key(for: ratchet, generation: sender.generation, crypto: crypto).messageKey
        let content = try sealed.open(sender, key: key, crypto: crypto)
        let later = try keys.secretTree.key(
            for: ratchet, generation: sender.generation + 1 + UInt32(ahead), crypto: crypto
        ).messageKey
        var writer = TLSWriter()
        writer.write(
            MLSMessage.privateMessage(
                try PrivateMessage(
                    protecting: content, from: sender.leaf, key: later, senderDataSecret: keys.senderData,
                    paddingBlock: 256, crypto: crypto, entropy: world.entropy)))
        return writer.bytes
    }
}
