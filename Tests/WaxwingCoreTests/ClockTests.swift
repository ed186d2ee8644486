import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Wrong clocks: someone who has one can still invite and be invited, or is told what to do.
@Suite struct ClockTests {
    private static let day: Int64 = 86_400

    /// What the clock shows in a world whose right time is early in 2027.
    enum Wrong: Int64, CaseIterable, Sendable {
        case y1971 = -1_767_000_000
        case y2036 = 290_000_000
        case y2099 = 2_272_000_000
    }

    private func stock(_ world: World, _ person: World.Person) throws -> [Lifetime] {
        let user = try #require(world.server.users[person.id])
        return try (user.keyPackages + [user.lastResort].compactMap { $0 }).map { bytes in
            guard case .keyPackage(let package) = try MLSMessage(decoding: bytes),
                case .keyPackage(let lifetime) = package.leafNode.source
            else { throw MLSError(.malformed, "no key package") }
            return lifetime
        }
    }

    private func expectInvitable(
        _ world: World, _ person: World.Person, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let lifetimes = try stock(world, person)
        #expect(lifetimes.count == 6, sourceLocation: sourceLocation)
        #expect(
            lifetimes.allSatisfy { $0.contains(world.now.seconds) }, "\(lifetimes)", sourceLocation: sourceLocation)
        #expect(Set(lifetimes.map(\.total)).count <= 1 && lifetimes[0].total <= 91 * 86_400)
    }

    /// Alice has a group, bob has not been online yet.
    private func world(_ seed: UInt64, tellsTime: Bool) throws -> (World, ID) {
        let world = World(seed: seed, strict: true)
        world.dateAhead = tellsTime ? 0 : nil
        for name in ["alice", "bob"] { try world.add(name) }
        let alice = world.people[0]
        try world.sync(alice)
        try world.perform(.createGroup(name: "room", alias: ""), alice)
        try world.sync(alice)
        return (world, try world.group("room", of: alice).id)
    }

    private func letIn(_ world: World, _ room: ID) throws {
        let (alice, bob) = (world.people[0], world.people[1])
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        try world.sync(bob)
        let left = try alice.reader.outbox()
        let invite = try #require(try bob.reader.invites().first, "\(left)")
        try world.perform(.accept(invite: invite.id), bob)
        try world.syncAll()
        try world.expectConverged("room")
    }

    private func failure(_ person: World.Person) throws -> Trouble {
        let row = try #require(try person.reader.outbox().first)
        return try #require(row.failure, "the row is \(row.state)")
    }

    /// What a row says of a key package that is not valid now.
    private func expired(_ person: World.Person) throws -> KeyPackageLifetime {
        guard case .keyPackageExpired(let lifetime) = try failure(person) else { throw try failure(person).unexpected }
        return lifetime
    }

    @Test(arguments: Wrong.allCases)
    func keyPackagesThatAWrongClockMadeAreReplaced(_ wrong: Wrong) throws {
        let (world, room) = try world(301, tellsTime: false)
        let bob = world.people[1]
        bob.clockAhead = wrong.rawValue
        try world.sync(bob)
        #expect(try stock(world, bob).allSatisfy { !$0.contains(world.now.seconds) })
        bob.clockAhead = 0
        try world.sync(bob)
        try expectInvitable(world, bob)
        let before = try stock(world, bob)
        try world.sync(bob)
        #expect(try stock(world, bob) == before, "once is enough")
        try letIn(world, room)
    }

    @Test func oneThatWasMadeMeanwhileIsReplacedToo() throws {
        let (world, room) = try world(302, tellsTime: false)
        let bob = world.people[1]
        try world.sync(bob)
        try letIn(world, room)
        // The set is good; the key package that replaced the one used by the Welcome is not.
        let all = bob.store.page(.keyPackage, from: [], below: nil, limit: 100, descending: false)
        var draft = Draft(store: bob.store, base: bob.store.revision())
        var record = try #require(
            try all.map { ($0.key, try KeyPackageRecord(stored: $0.value)) }.first { !$0.1.isLastResort })
        record.1.lifetime = Lifetime(notBefore: 3_000_000_000, notAfter: 3_000_000_001)
        draft.put(.keyPackage, record.0, record.1)
        _ = try bob.store.commit(draft.changes)
        let before = world.server.users[bob.id]?.lastResort
        try world.sync(bob)
        #expect(world.server.users[bob.id]?.lastResort != before)
        try expectInvitable(world, bob)
    }

    @Test(arguments: Wrong.allCases)
    func whereTheServerTellsTheTimeNobodyNeedsTheRightOne(_ wrong: Wrong) throws {
        for whose in [[0], [1], [0, 1]] {
            let (world, room) = try world(303, tellsTime: true)
            for index in whose { world.people[index].clockAhead = wrong.rawValue }
            try world.sync(world.people[1])
            try expectInvitable(world, world.people[1])
            try letIn(world, room)
            for person in world.people {
                let group = try world.group("room", of: person).id
                try world.perform(.send(group: group, text: "from \(person.name)"), person)
                try world.perform(.rotate(group: group), person)
            }
            try world.syncAll()
            try world.expectConverged("room")
            for person in world.people { try expectInvitable(world, person) }
            // The history has the right time, whoever's clock it was.
            for person in world.people {
                let rows = try person.reader.history(world.group("room", of: person).id, limit: 100).map(\.row)
                #expect(rows.allSatisfy { $0.time / 10_000_000 == world.now.seconds / 10_000_000 })
            }
        }
    }

    @Test(arguments: Wrong.allCases)
    func aWrongClockIsToldOnce(_ wrong: Wrong) throws {
        let (world, _) = try world(304, tellsTime: true)
        let bob = world.people[1]
        func told() -> Int { bob.notices.count { if case .clocksDiffer = $0 { true } else { false } } }
        bob.clockAhead = 59 * 60
        try world.sync(bob)
        bob.clockAhead = wrong.rawValue
        // The clock of a captive portal proves nothing.
        world.portal = true
        try world.sync(bob, patience: 2)
        #expect(told() == 0)
        world.portal = false
        for _ in 1...3 { try world.sync(bob) }
        #expect(told() == 1)
    }

    @Test func clocksADayApartAgreeOnTheSameKeyPackages() throws {
        for ahead in [-30 * Self.day, -Self.day, Self.day, 30 * Self.day] {
            let (world, _) = try world(305, tellsTime: true)
            let bob = world.people[1]
            world.dateAhead = ahead
            try world.sync(bob)
            let lifetimes = try stock(world, bob)
            let server = World.moved(world.now, by: ahead).seconds
            #expect(lifetimes.allSatisfy { $0.contains(world.now.seconds) && $0.contains(server) }, "\(ahead)")
        }
    }

    @Test func aClockThatIsSetBetweenTwoAnswersIsNoticedAtOnce() {
        var clock = ServerClock()
        let then = Moment(wall: Instant(milliseconds: 1_800_000_000_000), uptime: 5_000, boot: 1)
        #expect(clock.hears(1_800_000_000, at: then) == nil)
        var now = then.advanced(byMilliseconds: 10_000)
        #expect(clock.seconds(now) == 1_800_000_010 && !clock.isOff(now))
        for ahead in Wrong.allCases {
            now.wall = World.moved(then.wall, by: ahead.rawValue)
            #expect(clock.seconds(now) == 1_800_000_010 && clock.isOff(now))
        }
        // After a restart of the machine, no one knows how much time has passed.
        now.boot = 2
        #expect(!clock.isKnown(now) && clock.seconds(now) == now.wall.seconds)
    }

    /// It can make key packages useless, as it can by handing out none; and only for as long as it lies.
    @Test(arguments: [-1_767_000_000, 290_000_000, 200_000_000_000])
    func aServerThatLiesAboutTheTimeLeavesNothingBehind(ahead: Int64) throws {
        let (world, room) = try world(306, tellsTime: true)
        let bob = world.people[1]
        world.dateAhead = ahead
        try world.sync(bob)
        #expect(try stock(world, bob).allSatisfy { $0.total <= 91 * 86_400 })
        world.dateAhead = 0
        try world.sync(bob)
        try expectInvitable(world, bob)
        try letIn(world, room)
    }

    @Test func anInviteUnderWayOutlivesAClockThatJumps() throws {
        let (world, room) = try world(307, tellsTime: true)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.sync(bob)
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        // His set is replaced at each jump; the private keys of the one that was taken are still there.
        for ahead in [Wrong.y2036.rawValue, 0, Wrong.y2099.rawValue, 0] {
            world.dateAhead = ahead
            try world.sync(bob)
        }
        try world.perform(.accept(invite: try #require(try bob.reader.invites().first).id), bob)
        try world.sync(bob)
        let log = try #require(world.server.groups.values.first).log
        try world.syncAll()
        try world.expectConverged("room")
        #expect(try #require(world.server.groups.values.first).log.count == log.count, "he came in by the Welcome")
    }

    @Test func clocksThatJumpForEverLeaveABoundedNumberOfKeys() throws {
        let (world, _) = try world(308, tellsTime: false)
        let bob = world.people[1]
        for turn in 1...12 {
            bob.clockAhead = turn % 2 == 0 ? 0 : Wrong.y2036.rawValue
            try world.sync(bob)
        }
        try expectInvitable(world, bob)
        let kept = bob.store.page(.keyPackage, from: [], below: nil, limit: 1_000, descending: false)
        #expect(kept.count <= 6 + ClientLimits.withdrawnKeyPackages + 6)
    }

    @Test func aTroubleBeganNoLaterThanNow() throws {
        let (world, _) = try world(313, tellsTime: true)
        let bob = world.people[1]
        world.fault = { _, _ in .linkDown }
        for ahead in [Wrong.y2099.rawValue, 0] {
            bob.clockAhead = ahead
            try world.sync(bob, patience: 1)
            let link = try #require(try bob.reader.link())
            #expect(link.trouble != nil && link.since <= world.now(of: bob).wall, "\(ahead)")
        }
    }

    // MARK: What the inviter is told

    @Test func theInviterHearsThatTheOtherClockWasAhead() throws {
        for tellsTime in [false, true] {
            let (world, room) = try world(309, tellsTime: false)
            let (alice, bob) = (world.people[0], world.people[1])
            bob.clockAhead = Wrong.y2036.rawValue
            try world.sync(bob)
            world.dateAhead = tellsTime ? 0 : nil
            try world.perform(.invite(group: room, username: "bob"), alice)
            try world.sync(alice)
            let lifetime = try expired(alice)
            #expect(lifetime.name == "bob" && lifetime.wasMadeByWrongClock, "\(lifetime)")
            #expect(try #require(lifetime.notBefore) > lifetime.now)
            #expect((lifetime.doubtfulClock == nil) == tellsTime, "\(lifetime)")
        }
    }

    @Test func theInviterHearsThatTheOtherClockWasBehind() throws {
        let (world, room) = try world(310, tellsTime: false)
        let (alice, bob) = (world.people[0], world.people[1])
        bob.clockAhead = Wrong.y1971.rawValue
        try world.sync(bob)
        world.dateAhead = 0
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        let lifetime = try expired(alice)
        #expect(lifetime.name == "bob" && lifetime.wasMadeByWrongClock, "\(lifetime)")
        #expect(try #require(lifetime.notAfter) / 31_536_000 == 1, "it ended in 1971")
    }

    @Test func theInviterHearsThatNobodyWasThereForLong() throws {
        let (world, room) = try world(311, tellsTime: true)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.sync(bob)
        world.now = World.moved(world.now, by: 100 * Self.day)
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        let lifetime = try expired(alice)
        #expect(lifetime.name == "bob" && !lifetime.wasMadeByWrongClock, "\(lifetime)")
        #expect(lifetime.doubtfulClock == nil, "\(lifetime)")
    }

    @Test func whoseOwnClockCannotBeRightTakesNoKeyPackage() throws {
        let (world, room) = try world(312, tellsTime: false)
        let (alice, bob) = (world.people[0], world.people[1])
        try world.sync(bob)
        alice.clockAhead = Wrong.y1971.rawValue
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        guard case .clockWrong(let now) = try failure(alice) else { throw try failure(alice).unexpected }
        #expect(now / 31_536_000 == 1, "it says 1971")
        #expect(try stock(world, bob).count == 6)
        alice.clockAhead = 0
        try world.perform(.retry(order: try #require(try alice.reader.outbox().first).order), alice)
        try world.sync(alice)
        #expect(try alice.reader.outbox().isEmpty)
    }

    // MARK: Records

    @Test func recordsOfTheFirstVersionAreRead() throws {
        var writer = TLSWriter()
        writer.write(UInt8(1))
        writer.writeBool(true)
        writer.writeBool(true)
        writer.write(UInt64(2_000_000_000))
        writer.writeOpaque([1, 2, 3])
        let record = try KeyPackageRecord(stored: writer.bytes)
        #expect(record.isLastResort && record.isPublished && record.serialized == [1, 2, 3])
        #expect(record.lifetime == Lifetime(notBefore: 2_000_000_000 - 90 * 86_400 - 3_600, notAfter: 2_000_000_000))
        #expect(try KeyPackageRecord(stored: record.stored).lifetime == record.lifetime)
    }
}

extension Trouble {
    fileprivate var unexpected: any Error { Unexpected(trouble: self) }

    private struct Unexpected: Error { let trouble: Trouble }
}
