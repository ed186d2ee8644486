import ConclaveProtocol
import MLS
import Testing

@testable import WaxwingCore

/// The server's stock of key packages, which makes it possible to invite people who are away.
@Suite struct KeyPackageTests {
    private static let day: UInt64 = 86_400

    private func pass(days: UInt64, _ world: World) {
        world.now = world.now.advanced(byMilliseconds: days * Self.day * 1000)
        world.server.time += days * Self.day
    }

    private func stock(_ world: World, _ person: World.Person) throws -> [KeyPackage] {
        let user = try #require(world.server.users[person.id])
        return try (user.keyPackages + [user.lastResort].compactMap { $0 }).map { bytes in
            guard case .keyPackage(let package) = try MLSMessage(decoding: bytes) else {
                throw MLSError(.malformed, "no key package")
            }
            return package
        }
    }

    /// Alice has a group, and bob, whom no one has invited yet, went online on these days.
    private func world(_ seed: UInt64, bobIsOnlineAfter days: [UInt64] = []) throws -> (World, ID) {
        let world = World(seed: seed, strict: true)
        for name in ["alice", "bob"] { try world.sync(world.add(name)) }
        let alice = world.people[0]
        try world.perform(.createGroup(name: "room", alias: ""), alice)
        try world.sync(alice)
        for wait in days {
            pass(days: wait, world)
            try world.sync(world.people[1])
        }
        return (world, try world.group("room", of: alice).id)
    }

    @Test func aFirstSetIsUploadedOnce() throws {
        let (world, _) = try world(71)
        let bob = world.people[1]
        #expect(try stock(world, bob).count == 6)
        let before = try stock(world, bob)
        try world.sync(bob)
        #expect(try stock(world, bob) == before)
    }

    @Test func aWelcomeThatWasUsedIsMadeGood() throws {
        let (world, room) = try world(72)
        let (alice, bob) = (world.people[0], world.people[1])
        let before = try stock(world, bob)
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        #expect(try stock(world, bob).count == 5)
        try world.sync(bob)
        try world.perform(.accept(invite: try #require(try bob.reader.invites().first).id), bob)
        try world.sync(bob)
        try world.sync(bob)
        let after = try stock(world, bob)
        #expect(after.count == 6 && after.filter { !before.contains($0) }.count == 1)
    }

    /// The server keeps ten and hands out the oldest first: without room for the new ones they would be dropped.
    @Test func aFreshSetTakesThePlaceOfTheOldOne() throws {
        let (world, _) = try world(73)
        let bob = world.people[1]
        for _ in 1...4 {
            let before = try stock(world, bob)
            pass(days: 44, world)
            try world.sync(bob)
            #expect(try stock(world, bob) == before, "they are good for as long again")
            pass(days: 2, world)
            try world.sync(bob)
            let after = try stock(world, bob)
            #expect(after.count == 6)
            #expect(after.allSatisfy { !before.contains($0) }, "all are new")
        }
    }

    @Test func anAnswerThatIsLostLeavesNoEmptyStock() throws {
        for lost in ["/reset-account", "/key-packages"] {
            let (world, _) = try world(74)
            let bob = world.people[1]
            pass(days: 46, world)
            var isLost = false
            world.fault = { _, request in
                guard !isLost, request.method == .post, request.path.hasSuffix(lost) else { return .none }
                isLost = true
                return .answerLost
            }
            try world.sync(bob)
            #expect(isLost)
            #expect(try stock(world, bob).count == 6, "\(lost)")
            let own = bob.store.page(.keyPackage, from: [], below: nil, limit: 100, descending: false)
            #expect(own.count == 12, "no more were made than needed")
        }
    }

    @Test func anInviteLooksForAKeyPackageThatIsGood() throws {
        let (world, room) = try world(75)
        let (alice, bob) = (world.people[0], world.people[1])
        // A client that never makes room.
        world.answerInstead = { request in
            request.path.hasSuffix("/reset-account") ? APIResponse(status: 404, contentType: "", body: []) : nil
        }
        pass(days: 46, world)
        try world.sync(bob)
        #expect(try stock(world, bob).count == 11)
        pass(days: 46, world)
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        try world.sync(bob)
        try world.perform(.accept(invite: try #require(try bob.reader.invites().first).id), bob)
        try world.syncAll()
        try world.expectConverged("room")
    }

    @Test func whereNoneIsGoodTheInviteFails() throws {
        let (world, room) = try world(76)
        let alice = world.people[0]
        pass(days: 100, world)
        try world.perform(.invite(group: room, username: "bob"), alice)
        try world.sync(alice)
        let row = try #require(try alice.reader.outbox().first)
        guard case .keyPackageExpired = row.failure else {
            Issue.record("the row is \(row.state)")
            return
        }
    }
}
