import ConclaveProtocol
import MLS
import MLSOpenSSL
import Testing

@testable import WaxwingCore

/// Commits that the server counts and no member can take: it reads only their headers.
@Suite struct ContestTests {
    enum Bad: CaseIterable, Sendable {
        /// The header of a commit, and noise after it.
        case noise
        /// A commit of an epoch before, under the number of this one: its tags do not fit.
        case forged
        /// A consistent commit that members refuse: it brings someone who is not a user.
        case refused
    }

    private func room(_ seed: UInt64) throws -> (world: World, id: ID) {
        let world = World(seed: seed, strict: true)
        for name in ["alice", "bob", "mallory"] { try world.add(name) }
        try world.makeGroup("room")
        return (world, try #require(try world.group("room", of: world.people[0]).serverID))
    }

    private func group(_ world: World, _ person: World.Person) throws -> ID { try world.group("room", of: person).id }

    /// A bad commit for the epoch that `member` is in, and a GroupInfo as it would follow.
    private func make(_ bad: Bad, _ world: World, _ id: ID, epoch: UInt64) throws -> (commit: [UInt8], info: [UInt8]) {
        let server = try #require(world.server.groups[id])
        let last = try #require(server.log.last { (try? MLSMessage.summary(of: $0.message).contentType) == .commit })
        let header = 5 + Int(last.message[4])
        var forged = last.message
        forged.replaceSubrange(
            header..<(header + 8), with: (0..<8).map { UInt8(truncatingIfNeeded: epoch >> (56 - 8 * $0)) })
        var info = server.groupInfo
        // A GroupInfo has its version and suite before the group's id.
        info[header + 4 + 7] &+= 1
        switch bad {
        case .forged: return (forged, info)
        case .noise: return (Array(forged.prefix(header + 8 + 5 + 2)) + world.chance.bytes(40), info)
        case .refused:
            let crypto = try OpenSSLProvider().suite(.x448_chacha20poly1305_sha512_ed448)
            let ghost = try Group.externalCommit(
                groupInfo: server.groupInfo, credential: .basic(identity: Array("a ghost".utf8)),
                signer: crypto.generateSignatureKey(world.entropy), crypto: crypto, entropy: world.entropy)
            return (ghost.message, info)
        }
    }

    /// If the server never goes back to the epoch of a GroupInfo, the contest is the only way on.
    @Test(arguments: Bad.allCases, [true, false])
    func aCommitThatEveryoneRefusesIsContested(bad: Bad, believesGroupInfos: Bool) throws {
        let (world, id) = try room(300)
        let (alice, bob, mallory) = (world.people[0], world.people[1], world.people[2])
        world.server.believesGroupInfos = believesGroupInfos
        let epoch = try world.group("room", of: alice).epoch
        let (commit, info) = try make(bad, world, id, epoch: epoch)
        try world.server.take(commit, groupInfo: info, from: mallory.id, id)
        #expect(world.server.groups[id]?.epoch == epoch)

        var commits: [(person: String, contests: [UInt64])] = []
        world.fault = { person, request in
            if request.path.hasSuffix("/commit"),
                let upload = try? WireUploadCommitRequest(serializedBytes: request.body), !upload.commitMessage.isEmpty
            {
                commits.append((person.name, request.contests))
            }
            return .none
        }
        try world.perform(.rotate(group: group(world, bob)), bob)
        try world.sync(bob)
        #expect(try bob.reader.outbox().isEmpty, "\(world.report("room"))")
        #expect(try world.group("room", of: bob).epoch == epoch + 1)
        let junk = try #require(world.server.groups[id]?.log.first { $0.message == commit }).sequence
        #expect(commits.first?.contests == [junk], "the first try names the row")
        let living = try #require(try bob.core.details(of: group(world, bob))?.epoch)
        #expect(try MLSMessage.summary(of: #require(world.server.groups[id]).groupInfo).epoch == living)

        // And so on, for everyone.
        world.fault = { _, _ in .none }
        try world.perform(.rotate(group: group(world, alice)), alice)
        try world.perform(.send(group: group(world, alice), text: "still here"), alice)
        try world.syncAll(rounds: 2)
        try world.expectConverged("room")
        #expect(try world.group("room", of: alice).epoch == epoch + 2)
        #expect(try world.texts("room", mallory) == ["alice: still here"])

        // A newcomer finds the living branch.
        let carol = try world.add("carol")
        try world.sync(carol)
        try world.perform(.invite(group: group(world, alice), username: "carol"), alice)
        try world.sync(alice)
        try world.sync(carol)
        try world.perform(.accept(invite: #require(try carol.reader.invites().first).id), carol)
        try world.sync(carol)
        try world.syncAll(rounds: 2)
        try world.expectSameKeys("room")
    }

    /// Junk for this epoch and the next: each is refused when its epoch has come.
    @Test func junkAheadIsContestedWhenItsEpochComes() throws {
        let (world, id) = try room(301)
        let (alice, bob, mallory) = (world.people[0], world.people[1], world.people[2])
        world.server.believesGroupInfos = false
        let epoch = try world.group("room", of: alice).epoch
        for ahead: UInt64 in 0..<3 {
            let (commit, info) = try make(ahead == 1 ? .noise : .forged, world, id, epoch: epoch + ahead)
            try world.server.take(commit, groupInfo: info, from: mallory.id, id)
        }
        for person in [alice, bob, alice, bob] {
            try world.perform(.rotate(group: group(world, person)), person)
            try world.sync(person)
        }
        try world.syncAll(rounds: 2)
        try world.expectConverged("room")
        #expect(try world.group("room", of: alice).epoch == epoch + 4)
    }

    /// Two contest at once: the first valid one in the log counts.
    @Test func ofTwoContestsTheFirstCounts() throws {
        let (world, id) = try room(302)
        let (alice, bob, mallory) = (world.people[0], world.people[1], world.people[2])
        world.server.believesGroupInfos = false
        let epoch = try world.group("room", of: alice).epoch
        let (commit, info) = try make(.forged, world, id, epoch: epoch)
        try world.server.take(commit, groupInfo: info, from: mallory.id, id)
        for person in [alice, bob] {
            try world.perform(.rotate(group: group(world, person)), person)
            try world.step(.connect(live: false), person)
        }
        try world.settle([alice, bob])
        try world.syncAll(rounds: 2)
        try world.expectConverged("room")
        #expect(try world.group("room", of: alice).epoch == epoch + 2)
    }

    /// Another kind of server refuses as before, and is not asked without end.
    @Test func aServerThatKnowsNoContestsIsNotHammered() throws {
        let (world, id) = try room(303)
        let (alice, mallory) = (world.people[0], world.people[2])
        world.server.knowsContests = false
        world.server.believesGroupInfos = false
        let (commit, info) = try make(.forged, world, id, epoch: world.group("room", of: alice).epoch)
        try world.server.take(commit, groupInfo: info, from: mallory.id, id)
        try world.perform(.rotate(group: group(world, alice)), alice)
        var requests = 0
        world.fault = { _, _ in
            requests += 1
            return .none
        }
        let begin = world.now
        try world.sync(alice, patience: 12)
        #expect(try alice.reader.outbox().contains { $0.intent == .rotate && !$0.isFailed }, "it waits")
        let seconds = (world.now.uptime - begin.uptime) / 1000
        #expect(requests < 60 + 2 * Int(seconds), "\(requests) requests in \(seconds) s")
    }
}
