import ConclaveProtocol
import MLS
import MLSOpenSSL
import Testing

@testable import WaxwingCore

/// What an offline-first client must survive from a server and its log.
@Suite struct LogTests {
    private func talk(_ seed: UInt64, strict: Bool = false) throws -> World {
        let world = World(seed: seed, strict: strict)
        for name in ["alice", "bob"] { try world.add(name) }
        try world.makeGroup("room")
        return world
    }

    @Test func badRowsNeverBlockTheGoodOnes() throws {
        let world = try talk(21)
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        try world.perform(.send(group: room, text: "first"), alice)
        try world.sync(alice)
        let honest = try #require(world.server.groups[serverRoom]?.log.last?.message)
        var hostile: [[UInt8]] = [[], [0], honest.dropLast(1), honest + [0], Array(honest.prefix(20))].map { Array($0) }
        for index in stride(from: 0, to: honest.count, by: 7) {
            var changed = honest
            changed[index] ^= 0x40
            hostile.append(changed)
        }
        for length in [1, 100, 5000] { hostile.append(world.chance.bytes(length)) }
        hostile.append([0, 1, 0, 1] + Array(repeating: 0xFF, count: 2000))
        world.server.insert(hostile, from: alice.id, into: serverRoom)
        try world.perform(.send(group: room, text: "last"), alice)
        try world.sync(alice)
        try world.sync(bob)
        #expect(try world.texts("room", bob) == ["alice: first", "alice: last"])
        #expect(try world.lines("room", bob).filter { $0.contains("unreadable") }.count > hostile.count / 2)
        try world.perform(.rotate(group: world.group("room", of: bob).id), bob)
        try world.syncAll()
        try world.expectConverged("room")
    }

    /// The server has the GroupInfo, so it can send a joiner of its own; but none that no one would see.
    @Test(arguments: [[], Array("a ghost".utf8)] as [[UInt8]])
    func nobodyComesInUnderNoUsersName(identity: [UInt8]) throws {
        let world = try talk(29)
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        let crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
        let ghost = try Group.externalCommit(
            groupInfo: try #require(world.server.groups[serverRoom]?.groupInfo), credential: .basic(identity: identity),
            signer: crypto.generateSignatureKey(world.entropy), crypto: crypto, entropy: world.entropy)
        #expect(try alice.core.details(of: room)?.epoch == ghost.baseEpoch)
        world.server.insert([ghost.message], from: bob.id, into: serverRoom)
        try world.sync(alice)
        #expect(try alice.core.details(of: room)?.epoch == ghost.baseEpoch)
        try world.perform(.rotate(group: room), alice)
        try world.syncAll()
        try world.expectConverged("room")
        #expect(try bob.core.details(of: world.group("room", of: bob).id)?.members.count == 2)
    }

    @Test func aCopyOfARowIsShownOnce() throws {
        let world = try talk(22)
        let (alice, bob) = (world.people[0], world.people[1])
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        try world.perform(.send(group: world.group("room", of: alice).id, text: "once"), alice)
        try world.sync(alice)
        let row = try #require(world.server.groups[serverRoom]?.log.last?.message)
        world.server.insert([row, row], from: alice.id, into: serverRoom)
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: once"])
        try world.expectConverged("room")
    }

    @Test(arguments: [true, false])
    func numberingThatBeginsAnewIsNoticed(whileConnected: Bool) throws {
        let world = try talk(23)
        let (alice, bob) = (world.people[0], world.people[1])
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        for index in 1...5 {
            try world.perform(.send(group: world.group("room", of: alice).id, text: "old \(index)"), alice)
        }
        try world.syncAll()
        // Retention takes every row, and the server counts from 1 again.
        world.server.groups[serverRoom]?.log = []
        world.server.groups[serverRoom]?.lastSequence = 0
        if whileConnected { try world.sync(bob) }
        try world.perform(.send(group: world.group("room", of: alice).id, text: "new 1"), alice)
        try world.sync(alice)
        try world.perform(.send(group: world.group("room", of: bob).id, text: "new 2"), bob)
        try world.sync(bob)
        try world.syncAll()
        let expected = (1...5).map { "alice: old \($0)" } + ["alice: new 1", "bob: new 2"]
        #expect(try world.texts("room", alice) == expected)
        #expect(try world.texts("room", bob) == expected)
    }

    @Test func pagesThatAreTooLargeAreAskedForInSmallerPieces() throws {
        let world = try talk(24)
        let (alice, bob) = (world.people[0], world.people[1])
        for index in 1...30 {
            try world.perform(.send(group: world.group("room", of: alice).id, text: "\(index)"), alice)
        }
        try world.sync(alice)
        world.answerTooLarge = { request in
            guard let limit = request.query.first(where: { $0.name == "limit" }) else { return false }
            return Int(limit.value)! > 6
        }
        try world.sync(bob)
        #expect(try world.texts("room", bob).count == 30)
    }

    /// A line too slow for a page of the usual size: each try, in one process or several, asks for less.
    @Test(arguments: [true, false])
    func pagesThatTheLineDoesNotCarryAreAskedForInSmallerPieces(tryAfterTry: Bool) throws {
        let world = try talk(30)
        let (alice, bob) = (world.people[0], world.people[1])
        for index in 1...30 {
            try world.perform(.send(group: world.group("room", of: alice).id, text: "\(index)"), alice)
        }
        try world.sync(alice)
        var limits: [Int] = []
        world.fault = { _, request in
            guard let limit = request.query.first(where: { $0.name == "limit" }).flatMap({ Int($0.value) }) else {
                return .none
            }
            limits.append(limit)
            return limit > 6 ? .answerLost : .none
        }
        if tryAfterTry { for _ in 1...10 { try world.sync(bob, patience: 0) } }
        try world.sync(bob)
        #expect(try world.texts("room", bob).count == 30)
        // On a better line the pages grow again.
        let smallest = try #require(limits.min())
        limits = []
        world.fault = { _, request in
            if let limit = request.query.first(where: { $0.name == "limit" }) { limits.append(Int(limit.value)!) }
            return .none
        }
        for _ in 1...5 { try world.sync(bob) }
        #expect(try #require(limits.last) > smallest)
    }

    /// The server keeps its first answer to a request for longer than the row it is about.
    @Test func aRowThatExpiredBeforeItWasSeenIsSettledByTheRepeatedAnswer() throws {
        let world = try talk(31)
        let (alice, bob) = (world.people[0], world.people[1])
        let serverRoom = try #require(try world.group("room", of: alice).serverID)
        try world.perform(.send(group: world.group("room", of: alice).id, text: "came and went"), alice)
        world.fault = { _, request in
            request.method == .post && request.path.hasSuffix("/messages") ? .answerLost : .none
        }
        try world.sync(alice, patience: 0)
        world.fault = { _, _ in .none }
        #expect(world.server.posted.count == 1)
        world.server.expire(serverRoom)
        try world.perform(.send(group: world.group("room", of: bob).id, text: "stays"), bob)
        try world.sync(bob)
        try world.sync(alice, patience: 6)
        #expect(try alice.reader.outbox().isEmpty)
        #expect(world.server.posted.count == 2)
        #expect(try world.texts("room", alice).sorted() == ["alice: came and went", "bob: stays"])
    }

    @Test func aCaptivePortalIsNotTheServer() throws {
        let world = try talk(25)
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        try world.perform(.send(group: room, text: "through the wall"), alice)
        world.portal = true
        try world.sync(alice, patience: 2)
        let row = try #require(try alice.reader.outbox().first)
        #expect(!row.isFailed, "nothing is given up because of a web page")
        #expect(try alice.reader.link()?.trouble != nil)
        world.portal = false
        try world.syncAll()
        #expect(try world.texts("room", bob) == ["alice: through the wall"])
        try world.expectConverged("room")
    }

    @Test func aLongAbsenceIsCaughtUpInOrder() throws {
        let world = try talk(26)
        let (alice, bob) = (world.people[0], world.people[1])
        let room = try world.group("room", of: alice).id
        var expected: [String] = []
        for index in 1...450 {
            try world.perform(.send(group: room, text: "\(index)"), alice)
            expected.append("alice: \(index)")
            if index % 50 == 0 {
                try world.perform(.rotate(group: room), alice)
                try world.sync(alice)
            }
        }
        try world.sync(alice)
        try world.sync(bob)
        #expect(try world.texts("room", bob) == expected)
        try world.expectConverged("room")
    }

    @Test func aSessionThatIsOverLeavesEverythingQueued() throws {
        let world = try talk(27)
        let alice = world.people[0]
        try world.perform(.send(group: world.group("room", of: alice).id, text: "later"), alice)
        world.server.rejectsTokens = true
        try world.step(.connect(live: false), alice)
        try world.settle([alice])
        #expect(alice.core.linkState == .loginNeeded)
        world.server.rejectsTokens = false
        try world.perform(
            .signIn(
                Session(token: SessionToken(alice.id.description), userID: alice.id, username: "alice"),
                serverURL: "https://test"),
            alice)
        try world.syncAll()
        #expect(try world.texts("room", world.people[1]) == ["alice: later"])
    }

    @Test func aMessageTooLongOrEmptyIsRefusedAtOnce() throws {
        let world = try talk(28)
        let alice = world.people[0]
        let room = try world.group("room", of: alice).id
        for text in ["", String(repeating: "x", count: ClientLimits.messageText + 1)] {
            let error = text.isEmpty ? CoreError.emptyMessage : .messageTooLong(bytes: text.utf8.count, limit: 262_144)
            #expect(throws: error) { try world.perform(.send(group: room, text: text), alice) }
        }
        #expect(try alice.reader.outbox().isEmpty)
    }
}
