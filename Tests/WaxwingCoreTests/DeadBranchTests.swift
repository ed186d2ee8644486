import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Joining a group from outside, and who looks after its GroupInfo: the log alone decides which branch lives.
@Suite struct DeadBranchTests {
    private func talk(_ seed: UInt64, _ names: [String] = ["alice", "bob", "carol"], strict: Bool = false) throws
        -> World
    {
        let world = World(seed: seed, strict: strict)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        // Everyone is past the beginning: by now others have acted in each epoch.
        for person in world.people {
            try world.perform(.send(group: world.group("room", of: person).id, text: "\(person.name) was here"), person)
        }
        try world.syncAll()
        return world
    }

    private func room(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    private func serverRoom(_ world: World) throws -> ID {
        try #require(world.server.groups.values.first { $0.name == "room" }?.id)
    }

    private func serverTag(_ world: World) throws -> [UInt8]? {
        let info = try #require(world.server.groups[serverRoom(world)]?.groupInfo)
        return try? MLSMessage.summary(of: info).confirmationTag
    }

    private func tag(_ world: World, _ person: World.Person) throws -> [UInt8]? {
        try MLSMessage.summary(of: person.core.groupInfoForTests(room(world, person), world)).confirmationTag
    }

    private func rotate(_ world: World, _ person: World.Person) throws {
        try world.perform(.rotate(group: room(world, person)), person)
        try world.sync(person)
    }

    /// Counts requests from now on.
    private func count(_ world: World, of verb: String, _ method: APIRequest.Method = .get) -> Counter {
        let counter = Counter()
        let fault = world.fault
        world.fault = { person, request in
            if request.method == method, request.path.hasSuffix(verb) { counter.value += 1 }
            return fault(person, request)
        }
        return counter
    }

    private final class Counter { var value = 0 }

    /// Everyone in `people` is in one state of the group, and reads what everyone says from now on.
    private func expectOneGroup(_ world: World, rounds: Int = 3) throws {
        try world.syncAll(rounds: rounds)
        for person in world.people {
            try #require(
                try world.group("room", of: person).status == .active, "\(person.name) is out: \(world.report("room"))")
            try world.perform(.send(group: room(world, person), text: "\(person.name) is here"), person)
        }
        try world.syncAll()
        let states = try Set(world.people.map { try $0.core.details(of: room(world, $0))?.epochAuthenticator })
        #expect(states.count == 1, "the group is split: \(world.report("room"))")
        for person in world.people {
            let heard = try world.texts("room", person).filter { $0.hasSuffix(" is here") }
            #expect(heard.count == world.people.count, "\(person.name) hears \(heard): \(world.report("room"))")
            #expect(try person.reader.outbox().isEmpty, "\(world.report("room"))")
        }
    }

    // MARK: A new profile, and only the GroupInfo of a dead commit

    /// Alice's escrowed invite is accepted after bob rotated: the server has a dead commit, and only its GroupInfo.
    private func staleEscrow(_ world: World) throws -> World.Person {
        let (alice, bob) = (world.people[0], world.people[1])
        let dave = try world.add("dave")
        try world.sync(dave)
        try world.perform(.invite(group: room(world, alice), username: "dave"), alice)
        try world.sync(alice)
        try rotate(world, bob)
        try world.sync(dave)
        try world.perform(.accept(invite: try #require(try dave.reader.invites().first).id), dave)
        try world.sync(dave, patience: 2)
        return dave
    }

    @Test(arguments: [true, false])
    func aNewProfileDoesNotComeInByADeadCommit(rejoins: Bool) throws {
        let world = try talk(201)
        let dave = try staleEscrow(world)
        let dead = try serverTag(world)
        let joins = count(world, of: "/external-join", .post)
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol, patience: 3)
        #expect(joins.value == 0, "nobody builds on a dead commit")
        #expect(try world.group("room", of: carol).status == .keyless)
        #expect(try world.group("room", of: dave).status == .keyless)
        let row = try #require(try carol.reader.outbox().first { $0.intent == .rejoin })
        #expect(row.trouble == .groupInfoDead)
        try world.perform(.send(group: room(world, carol), text: "carol waits"), carol)
        if rejoins { try world.perform(.rejoin(group: room(world, carol)), carol) }
        try world.sync(carol, patience: 3)
        #expect(try serverTag(world) == dead, "she puts nothing on the server")
        for person in world.people.prefix(2) { try world.sync(person) }
        #expect(try serverTag(world) != dead)
        try world.sync(carol)
        #expect(try world.group("room", of: carol).status == .active, "\(world.report("room"))")
        // The keys he saw by the dead invite are no one's: they do not keep him out.
        try world.syncAll()
        #expect(try world.group("room", of: dave).status == .active, "\(world.report("room"))")
        #expect(try dave.reader.user(carol.id)?.changedFingerprint == "")
        for person in world.people.prefix(3) {
            #expect(try world.texts("room", person).contains("carol: carol waits"), "\(person.name) cannot read it")
        }
        if rejoins {
            // She does not mistake the living GroupInfo for a dead one.
            try world.perform(.rejoin(group: room(world, carol)), carol)
            try world.sync(carol, patience: 1)
            #expect(try carol.reader.outbox().isEmpty, "\(world.report("room"))")
        }
        try expectOneGroup(world)
    }

    /// After some looks she joins anyway, as what is in the log was not verified. But she says nothing there before
    /// another member shows that this branch lives; and if it does not, she comes back.
    @Test func waitingForABetterGroupInfoHasAnEnd() throws {
        let world = try talk(202)
        let dave = try staleEscrow(world)
        let joins = count(world, of: "/external-join", .post)
        let looks = count(world, of: "/group-info")
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol, patience: 12)
        #expect(joins.value == 1, "\(world.report("room"))")
        #expect(looks.value <= 16)
        try world.perform(.send(group: room(world, carol), text: "carol waits"), carol)
        let posted = world.server.posted.count
        try world.sync(carol, patience: 3)
        #expect(world.server.posted.count == posted, "a text went out on a dead branch")
        #expect(try carol.reader.outbox().contains { $0.trouble == .branchDoubtful })
        for person in world.people.prefix(3) { try world.sync(person) }
        try world.perform(.rejoin(group: room(world, dave)), dave)
        try expectOneGroup(world)
        for person in world.people.prefix(3) {
            #expect(try world.texts("room", person).contains("carol: carol waits"), "\(person.name) cannot read it")
        }
    }

    // MARK: Lost races

    /// What the server accepted is looked for in the log at once, however often another commit came first.
    @Test(arguments: [true, false])
    func aLostRaceAtTheDoorCostsNoTime(strict: Bool) throws {
        let world = try talk(203, strict: strict)
        let bob = world.people[1]
        let carol = try world.replaceDevice(of: world.people[2])
        let begin = world.now
        try world.step(.connect(live: false), carol)
        for _ in 1...4 {
            while !carol.calls.contains(where: { $0.1.path.hasSuffix("/external-join") }) {
                if try world.stir(carol) { continue }
                world.now = world.now.advanced(byMilliseconds: try #require(carol.core.nextWake?.left(world.now)))
                try world.step(.wake, carol)
            }
            try rotate(world, bob)
            while carol.calls.contains(where: { $0.1.path.hasSuffix("/external-join") }) {
                try #require(try world.stir(carol))
            }
        }
        try world.settle([carol])
        try world.step(.disconnect, carol)
        #expect(try world.group("room", of: carol).status == .active)
        let spent = world.now.uptime - begin.uptime
        #expect(spent < 5_000, "\(spent) ms")
        try expectOneGroup(world)
    }

    /// A client that ends before the log has been read does not blame the connection.
    @Test func whatTheServerTookIsNotCalledALostConnection() throws {
        let world = try talk(204)
        let alice = world.people[0]
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.step(.connect(live: false), alice)
        while try alice.reader.outbox().first?.state != .unconfirmed { try #require(try world.stir(alice)) }
        try world.step(.disconnect, alice)
        let row = try #require(try alice.reader.outbox().first)
        #expect(row.trouble == .takenWithoutPlace)
        alice.calls = []
        try expectOneGroup(world)
    }

    /// A dead external commit of the same epoch precedes hers. It was made for another state, so hers counts.
    @Test func aDeadExternalCommitBeforeOnesOwnIsNoRival() throws {
        let world = try talk(205, ["alice", "bob", "carol", "dave", "eve"])
        let (bob, carol, dave) = (world.people[1], world.people[2], world.people[3])
        let eve = try ForeignClient(insteadOf: world.people[4], in: "room", world)
        try rotate(world, bob)
        try eve.rotate(world)
        let dead = try #require(world.server.groups[serverRoom(world)]?.groupInfo)
        for person in world.people.prefix(2) { try world.sync(person) }
        let crypto = dave.core.crypto
        let ghost = try Group.externalCommit(
            groupInfo: dead, credential: .basic(identity: dave.id.bytes),
            signer: crypto.generateSignatureKey(world.entropy), removePrior: true, crypto: crypto,
            entropy: world.entropy)
        let newCarol = try world.replaceDevice(of: carol)
        let joins = count(world, of: "/external-join", .post)
        try world.step(.connect(live: false), newCarol)
        while !newCarol.calls.contains(where: { $0.1.path.hasSuffix("/external-join") }) {
            try #require(try world.stir(newCarol))
        }
        world.server.insert([ghost.message], from: dave.id, into: try serverRoom(world))
        try world.settle([newCarol])
        try world.step(.disconnect, newCarol)
        #expect(joins.value == 1, "\(world.report("room"))")
        try expectOneGroup(world)
    }

    // MARK: Who looks after the server's GroupInfo

    /// The member at the first leaf is a foreign client, which never does.
    @Test(arguments: [true, false])
    func anyMemberRenewsTheGroupInfoAfterAnExternalCommit(strict: Bool) throws {
        let world = try talk(206, strict: strict)
        let carol = try world.replaceDevice(of: world.people[2])
        try world.step(.connect(live: false), carol)
        while !carol.calls.contains(where: { $0.1.path.hasSuffix("/external-join") }) {
            try #require(try world.stir(carol))
        }
        let rows = try #require(world.server.groups[serverRoom(world)]?.log.count)
        while world.server.groups[try serverRoom(world)]?.log.count == rows { try #require(try world.stir(carol)) }
        // She is in, and stops before she has put the new GroupInfo there. Alice at the first leaf is away.
        try world.crash(carol)
        let bob = world.people[1]
        let uploads = count(world, of: "/commit", .post)
        try world.sync(bob)
        #expect(try serverTag(world) == tag(world, bob))
        #expect(uploads.value == 1)
        // Someone who comes later finds it right.
        try world.syncAll()
        #expect(uploads.value == 1)
        try expectOneGroup(world)
    }

    /// Neither the author of the living commit nor that of the dead one is there.
    @Test func anyMemberRenewsTheGroupInfoAfterADeadCommit() throws {
        let world = try talk(207)
        let eve = try ForeignClient(insteadOf: world.people[1], in: "room", world)
        let (alice, carol) = (world.people[0], world.people[1])
        try world.perform(.rotate(group: room(world, alice)), alice)
        try world.sync(alice)
        try eve.rotate(world)
        #expect(try serverTag(world) == eve.state.confirmationTag)
        try world.sync(carol)
        #expect(try serverTag(world) == tag(world, carol))
    }

    // MARK: A member who goes on on a dead branch

    @Test(arguments: [1, 3])
    func nobodyFollowsAForeignClientOntoItsDeadBranch(steps: Int) throws {
        let world = try talk(208, ["alice", "bob", "carol", "eve"])
        let (alice, bob) = (world.people[0], world.people[1])
        let eve = try ForeignClient(insteadOf: world.people[3], in: "room", world)
        try rotate(world, bob)
        for _ in 1...steps { try eve.rotate(world) }
        try eve.send("is anybody there?", world)
        let joins = count(world, of: "/external-join", .post)
        for person in [alice, bob] { try world.sync(person) }
        #expect(joins.value == 0, "\(world.report("room"))")
        #expect(try serverTag(world) == tag(world, alice))
        #expect(try tag(world, alice) == tag(world, bob))
        // Newcomers get in within two syncs.
        let carol = try world.replaceDevice(of: world.people[2])
        for _ in 1...2 { try world.sync(carol, patience: 2) }
        #expect(try world.group("room", of: carol).status == .active, "\(world.report("room"))")
        try eve.rotate(world)
        try expectOneGroup(world)
        #expect(joins.value == 1)
        for person in world.people.prefix(2) {
            #expect(try world.lines("room", person).allSatisfy { !$0.contains("rejoined \(person.name)") })
        }
    }

    /// Only the dead branch's GroupInfo is there, of an epoch the living group has not reached. No one joins by it.
    @Test func aHigherEpochIsNoReasonToComeInByIt() throws {
        let world = try talk(209, ["alice", "bob", "carol", "eve"])
        let bob = world.people[1]
        let eve = try ForeignClient(insteadOf: world.people[3], in: "room", world)
        try rotate(world, bob)
        for _ in 1...3 { try eve.rotate(world) }
        let joins = count(world, of: "/external-join", .post)
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol, patience: 3)
        #expect(joins.value == 0, "\(world.report("room"))")
        try world.sync(bob)
        try world.sync(carol, patience: 3)
        try world.sync(bob)
        #expect(try tag(world, carol) == tag(world, bob), "\(world.report("room"))")
        try expectOneGroup(world)
    }

    /// The server has counted a commit of Eve's dead branch, and the members have contested it: it comes first in its
    /// epoch. Someone without keys cannot know that it was refused, but sees that others went on elsewhere.
    @Test func aRefusedCommitThatStandsFirstKeepsNobodyOut() throws {
        let world = try talk(213, ["alice", "bob", "carol", "eve"], strict: true)
        let (alice, bob) = (world.people[0], world.people[1])
        let eve = try ForeignClient(insteadOf: world.people[3], in: "room", world)
        try rotate(world, bob)
        try #require(try !eve.rotate(world))
        try #require(try eve.rotate(world))
        for person in [alice, bob, alice] { try rotate(world, person) }
        let carol = try world.replaceDevice(of: world.people[2])
        try world.sync(carol, patience: 2)
        #expect(try world.group("room", of: carol).status == .active, "\(world.report("room"))")
        try expectOneGroup(world)
    }

    /// On Carol's branch only the one who let her in has acted. Eve went on from a dead commit with a new key.
    @Test func whoIsNewKeepsTheirKeysWhereAStrangerIsAhead() throws {
        let world = try talk(212, ["alice", "bob", "eve"])
        let alice = world.people[0]
        let eve = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.perform(.invite(group: room(world, alice), username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        try world.perform(.accept(invite: try #require(try carol.reader.invites().first).id), carol)
        for person in [carol, alice, carol] { try world.sync(person) }
        try #require(try world.group("room", of: carol).entry == .unproven)
        try eve.rotate(world)
        try eve.reset(world)
        try eve.rotate(world)
        for person in world.people.prefix(2) { try world.sync(person) }
        try eve.putGroupInfo(world)
        try #require(try serverTag(world) == eve.state.confirmationTag)
        try world.server.expire(serverRoom(world))
        try world.perform(.send(group: room(world, carol), text: "carol waits"), carol)
        try world.sync(carol, patience: 1)
        #expect(try world.group("room", of: carol).status == .active, "\(world.report("room"))")
        #expect(try carol.reader.outbox().allSatisfy { !$0.isFailed }, "\(world.report("room"))")
        #expect(try carol.reader.outbox().contains { $0.trouble == .branchDoubtful })
        // The others act where she is.
        try expectOneGroup(world)
        #expect(try world.texts("room", alice).contains("carol: carol waits"))
    }

    /// Eve goes on from a dead external commit. The log alone does not tell that; a member's GroupInfo does.
    @Test(arguments: [true, false]) func whoCameInByACommitFromBesideTheLogComesBack(strict: Bool) throws {
        let world = try talk(213, ["alice", "bob", "eve"], strict: strict)
        let (alice, old) = (world.people[0], world.people[1])
        let eve = try ForeignClient(insteadOf: world.people[2], in: "room", world)
        for _ in 0..<2 { try eve.reset(world) }
        for person in [alice, old] { try world.sync(person) }
        try eve.rotate(world)
        try eve.putGroupInfo(world)
        let bob = try world.replaceDevice(of: old)
        try world.sync(bob)
        for person in [alice, bob, alice] { try world.sync(person) }
        try expectOneGroup(world)
    }

    // MARK: Emptied logs
    @Test(arguments: [true, false])
    func oneWhoIsBehindAnEmptiedLogNoticesWithoutANewRow(strict: Bool) throws {
        let world = try talk(210, strict: strict)
        let (alice, bob, carol) = (world.people[0], world.people[1], world.people[2])
        try world.server.expire(serverRoom(world))
        try world.syncAll()
        for _ in 1...3 {
            try rotate(world, bob)
            try world.sync(carol)
        }
        try world.server.expire(serverRoom(world))
        try world.sync(alice)
        #expect(
            try alice.core.details(of: room(world, alice))?.epoch ?? 0 > bob.core.details(of: room(world, bob))?.epoch
                ?? 0)
        try expectOneGroup(world)
    }

    @Test func whatIsInTheLogNeedsNoGroupInfo() throws {
        let world = try talk(211)
        let looks = count(world, of: "/group-info")
        for _ in 1...3 { try world.syncAll() }
        #expect(looks.value == 0)
    }
}

extension ClientCore {
    /// The GroupInfo of a person's own state.
    mutating func groupInfoForTests(_ group: ID, _ world: World) throws -> [UInt8] {
        let turn = Turn(draft: Draft(store: store, base: try store.revision()), now: world.now)
        let signer = try signer(turn)
        return try #require(try withGroup(group, turn) { try $0.groupInfo(signer: signer) })
    }
}
