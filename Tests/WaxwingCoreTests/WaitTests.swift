import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// The wall clock is set forward and back: nothing waits longer or shorter because of that.
@Suite struct WaitTests {
    /// Milliseconds: an hour and ten years, both ways.
    static let jumps: [Int64] = [3_600_000, -3_600_000, 315_360_000_000, -315_360_000_000]

    private func set(_ world: World, by jump: Int64) {
        world.now.wall = Instant(milliseconds: UInt64(Int64(world.now.wall.milliseconds) + jump))
    }

    @Test(arguments: jumps)
    func whatWaitsForTheServerGoesOnInItsTime(jump: Int64) throws {
        let world = World(seed: 41, strict: true)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        let alice = world.people[0]
        try world.perform(.send(group: world.group("room", of: alice).id, text: "later"), alice)
        world.fault = { _, _ in .linkDown }
        try world.step(.connect(live: false), alice)
        try world.settle([alice], patience: 0)
        let wait = try #require(alice.core.nextWake?.left(world.now))
        #expect(wait > 0 && wait <= ClientLimits.retryDelayMax)
        set(world, by: jump)
        #expect(alice.core.nextWake?.left(world.now) == wait)
        world.now = world.now.advanced(byMilliseconds: wait - 1)
        try world.step(.wake, alice)
        #expect(alice.calls.isEmpty, "its time has not come")
        world.now = world.now.advanced(byMilliseconds: 1)
        try world.step(.wake, alice)
        #expect(!alice.calls.isEmpty, "its time has come")
        world.fault = { _, _ in .none }
        try world.settle([alice])
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]) == ["alice: later"])
    }

    /// A world in which bob has put something off: he is second in line to take carol out.
    private func withAnEvictionPutOff() throws -> (World, World.Person) {
        let world = World(seed: 42, strict: true)
        for name in ["alice", "bob", "carol"] { try world.add(name) }
        try world.makeGroup("room")
        let (bob, carol) = (world.people[1], world.people[2])
        try world.perform(.leave(group: world.group("room", of: carol).id), carol)
        try world.sync(carol)
        try world.sync(bob, patience: 0)
        #expect(try bob.reader.outbox().contains { $0.intent == .evict(user: carol.id) }, "\(world.report("room"))")
        return (world, bob)
    }

    @Test(arguments: jumps)
    func whatIsPutOffInTheStoreIsDoneInItsTime(jump: Int64) throws {
        let (world, bob) = try withAnEvictionPutOff()
        let waits = try bob.reader.outbox().compactMap(\.notBefore).map { $0.left(world.now) }
        let wait = try #require(waits.max())
        #expect(wait > 0)
        set(world, by: jump)
        try world.crash(bob)
        try world.sync(bob, patience: 0)
        #expect(try !bob.reader.outbox().isEmpty, "its time has not come")
        world.now = world.now.advanced(byMilliseconds: wait)
        try world.sync(bob, patience: 0)
        #expect(try bob.reader.outbox().isEmpty)
    }

    @Test func whatWasPutOffBeforeTheMachineStartedAnewIsDoneAtOnce() throws {
        let (world, bob) = try withAnEvictionPutOff()
        try world.crash(bob)
        world.now.boot += 1
        try world.sync(bob, patience: 0)
        #expect(try bob.reader.outbox().isEmpty)
    }

    @Test func noWaitIsLongerThanAnHour() {
        let now = Moment(wall: Instant(milliseconds: 0), uptime: 1_000, boot: 3)
        #expect(now.deadline(afterMilliseconds: .max).left(now) == 3_600_000)
        #expect(Deadline(uptime: 3_601_001, boot: 3).isDue(now), "written by a clock that ran otherwise")
        #expect(!Deadline(uptime: 3_601_000, boot: 3).isDue(now))
        #expect(Deadline(uptime: 2_000, boot: 4).isDue(now))
        #expect(Deadline(uptime: 1_000, boot: 3).isDue(now))
    }

    /// Records of version 0.1 had moments of the wall clock, which say nothing about how long to wait.
    @Test func recordsOfOldAreReadWithoutTheirWaits() throws {
        let id = try #require(ID([UInt8](repeating: 7, count: 16)))
        let row = OutboxRow(order: 3, group: id, intent: .rotate, createdAt: Instant(milliseconds: 9))
        // After the trouble come the wait and the ciphertext, neither of which is there.
        let old = [1] + row.stored.dropFirst().dropLast(2) + keyBytes(1_800_000_000_000) + [0]
        #expect(try OutboxRow(stored: Array(old)) == row)
        let link = LinkRecord(trouble: .transport(.other, detail: "away"), since: Instant(milliseconds: 5), failures: 2)
        var writer = TLSWriter()
        writer.write(UInt8(1))
        writer.writeText("away")
        writer.write(UInt64(5))
        writer.write(UInt32(2))
        writer.write(UInt64(1_800_000_000_000))
        #expect(try LinkRecord(stored: writer.bytes) == link)
    }
}
