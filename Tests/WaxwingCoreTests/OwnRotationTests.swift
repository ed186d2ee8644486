import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// Keys that change by themselves.
@Suite struct OwnRotationTests {
    private static let day: UInt64 = 86_400

    private func pass(seconds: UInt64, _ world: World) {
        world.now = world.now.advanced(byMilliseconds: seconds * 1000)
        world.server.time += seconds
    }

    private func room(_ seed: UInt64, _ names: [String]) throws -> (World, ID) {
        let world = World(seed: seed, strict: true)
        for name in names { try world.add(name) }
        try world.makeGroup("room")
        // All members know the living branch, and have nothing left to do.
        for person in world.people {
            try world.perform(.send(group: world.group("room", of: person).id, text: "here"), person)
            try world.syncAll(rounds: 1)
        }
        let serverID = try #require(world.group("room", of: world.people[0]).serverID)
        return (world, serverID)
    }

    private struct Change: Equatable {
        var day: UInt64
        var by: ID
        var epoch: UInt64
    }

    /// The commits of the log from row `after` on, by the server's time.
    private func changes(_ world: World, _ room: ID, after: UInt64, since start: UInt64) throws -> [Change] {
        try #require(world.server.groups[room]).log.filter { $0.sequence > after }.compactMap { row in
            let summary = try MLSMessage.summary(of: row.message)
            guard summary.contentType == .commit else { return nil }
            return Change(day: (row.time - start) / Self.day, by: row.sender, epoch: summary.epoch ?? 0)
        }
    }

    /// The key of a person's leaf as another has it in the tree.
    private func leafKey(of person: World.Person, seenBy other: World.Person, _ world: World) throws -> [UInt8] {
        let id = try world.group("room", of: other).id
        let records = other.store.page(.groupState, from: id.bytes, below: nil, limit: .max, descending: false)
            .filter { $0.key.starts(with: id.bytes) }
        let group = try Group.restore(
            records.map { (key: Array($0.key.dropFirst(16)), value: $0.value) }, crypto: other.core.crypto,
            configuration: GroupConfiguration())
        let member = try #require(group.members.first { $0.identity == person.id.bytes })
        return try #require(group.leafKey(at: member.index))
    }

    @Test(arguments: [81, 82] as [UInt64])
    func inTenWeeksEveryonesKeysChangeEveryTwo(_ seed: UInt64) throws {
        let (world, room) = try room(seed, ["alice", "bob", "carol", "dave", "eve"])
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        var keys: [ID: (key: [UInt8], day: UInt64)] = [:]
        for day in 0..<70 as Range<UInt64> {
            let speaker = world.people[world.chance.below(5)]
            try world.perform(
                .send(group: world.group("room", of: speaker).id, text: "day \(day)"), speaker)
            for person in world.people {
                pass(seconds: 4 * 3600 + UInt64(world.chance.below(3600)), world)
                try world.sync(person)
            }
            let watcher = world.people[Int(day % 5)]
            try world.sync(watcher)
            for person in world.people {
                let key = try leafKey(of: person, seenBy: watcher, world)
                if keys[person.id]?.key != key { keys[person.id] = (key, day) }
                let age = day - (keys[person.id]?.day ?? day)
                #expect(age <= 15, "\(person.name)'s keys are \(age) days old on day \(day)")
            }
        }
        let changes = try changes(world, room, after: last, since: start)
        // Seven to twelve days apart, and a day until the next sync: five people in ten weeks make 26 to 50.
        #expect((25...50).contains(changes.count), "\(changes.count) commits")
        // None was lost to another's, and they are spread out.
        #expect(Set(changes.map(\.epoch)).count == changes.count)
        #expect(Set(changes.map(\.day)).count * 10 >= changes.count * 7, "\(changes.map(\.day))")
        try world.syncAll()
        try world.expectConverged("room")
        let lines = try world.lines("room", world.people[0])
        #expect(lines.count { $0.contains("rotated") } >= changes.count)
    }

    @Test func whereNothingIsSaidNothingIsChanged() throws {
        let (world, room) = try room(83, ["alice", "bob", "carol"])
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        // What was said last is younger than the keys of the first to have them; so each may have a turn, and no more.
        for _ in 0..<70 {
            for person in world.people {
                pass(seconds: Self.day / 3, world)
                try world.sync(person)
            }
        }
        let changes = try changes(world, room, after: last, since: start)
        #expect(changes.count <= 3 && Set(changes.map(\.by)).count == changes.count, "\(changes)")
    }

    @Test func whoComesBackAfterMonthsChangesOnce() throws {
        let (world, room) = try room(84, ["alice", "bob"])
        let (alice, bob) = (world.people[0], world.people[1])
        for day in 0..<100 {
            pass(seconds: Self.day, world)
            if day % 10 == 0 {
                try world.perform(.send(group: world.group("room", of: alice).id, text: "\(day)"), alice)
            }
            try world.sync(alice)
        }
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        for _ in 0..<5 {
            pass(seconds: Self.day, world)
            try world.sync(bob)
            try world.perform(.send(group: world.group("room", of: bob).id, text: "back"), bob)
            try world.sync(bob)
        }
        let changes = try changes(world, room, after: last, since: start).filter { $0.by == bob.id }
        #expect(changes.count == 1, "\(changes)")
    }

    /// A clock that is a year off at every other sync, on a server that does not tell the time, on one that does, and
    /// after a restart each time.
    @Test(arguments: [nil, 0] as [Int64?], [false, true])
    func aClockThatSwingsDoesNotMakeACommitOfEverySync(_ dateAhead: Int64?, _ restarts: Bool) throws {
        let (world, room) = try room(85, ["alice", "bob"])
        world.dateAhead = dateAhead
        let (alice, bob) = (world.people[0], world.people[1])
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        for round in 0..<60 {
            pass(seconds: Self.day / 4, world)
            bob.clockAhead = round % 2 == 0 ? 365 * Int64(Self.day) : 0
            if restarts { world.now.boot += 1 }
            try world.perform(.send(group: world.group("room", of: alice).id, text: "\(round)"), alice)
            try world.sync(alice)
            try world.sync(bob)
        }
        let changes = try changes(world, room, after: last, since: start).filter { $0.by == bob.id }
        // Fifteen days: two that are due, and one for the first time that the clock jumped.
        #expect(changes.count <= 3, "\(changes)")
        bob.clockAhead = 0
        try world.syncAll()
        try world.expectConverged("room")
    }

    /// A clock that was once a year ahead does not put the next change off for a year.
    @Test func aClockThatWasAheadHoldsNothingUp() throws {
        let (world, room) = try room(86, ["alice", "bob"])
        let (alice, bob) = (world.people[0], world.people[1])
        bob.clockAhead = 365 * Int64(Self.day)
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.sync(bob)
        bob.clockAhead = 0
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        for day in 0..<28 {
            pass(seconds: Self.day, world)
            for text in 0..<4 {
                try world.perform(.send(group: world.group("room", of: alice).id, text: "\(day) \(text)"), alice)
            }
            try world.sync(alice)
            try world.sync(bob)
        }
        let changes = try changes(world, room, after: last, since: start).filter { $0.by == bob.id }
        #expect((1...4).contains(changes.count), "\(changes)")
    }

    @Test func manyRowsWearKeysOut() throws {
        let (world, room) = try room(87, ["alice", "bob"])
        let (alice, bob) = (world.people[0], world.people[1])
        pass(seconds: 2 * Self.day, world)
        try world.syncAll()
        // As if as many had come and gone: the server's numbers go on.
        world.server.groups[room]?.lastSequence += 10_000
        let (start, last) = (world.server.time, try #require(world.server.groups[room]?.lastSequence))
        for text in 0..<20 {
            try world.perform(.send(group: world.group("room", of: alice).id, text: "\(text)"), alice)
            try world.sync(alice)
            try world.sync(bob)
        }
        let changes = try changes(world, room, after: last, since: start)
        // Rows that are missing from the log may have held commits: until that is settled nothing is changed.
        #expect(changes.filter { $0.by == bob.id }.count <= 1 && changes.filter { $0.by == alice.id }.count <= 1)
        #expect(!changes.isEmpty)
    }
}
