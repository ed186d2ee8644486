@testable import MLS
import Testing

/// RFC 9420 §9.2 for handshake messages that came as a PrivateMessage: once opened, nothing opens them again, whatever
/// became of them.
struct SealedHandshakeTests {
    /// Four clients who seal their handshake messages.
    private func sealing(_ spokeBefore: Bool) throws -> World {
        var world = try World(members: 4)
        for index in world.clients.indices { world.clients[index].group.configuration.handshakeEncryption = true }
        if spokeBefore {
            for author in [1, 2] { _ = try world.unprotect(try world.protect("hello", by: author), by: 0) }
        }
        return world
    }

    private func open(_ message: [UInt8], in world: World) throws -> StagedCommit {
        guard case .commit(let staged) = try world.clients[0].group.process(message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        return staged
    }

    private func expectNoKey(_ tree: SecretTree, _ leaf: UInt32, _ world: World) {
        expectError(.generationReused, "leaf \(leaf)") {
            try tree.key(for: .init(leaf: LeafIndex(leaf), kind: .handshake), generation: 0, crypto: world.crypto)
        }
    }

    @Test(arguments: [false, true], [false, true])
    func theLoserOfTwoRivalsLeavesNoKey(spokeBefore: Bool, discardedFirst: Bool) throws {
        var world = try sealing(spokeBefore)
        let late = try world.protect("late", by: 2)
        let messages = try [world.commit([], by: 1), world.commit([], by: 2)].map(\.message)
        let (winner, loser) = (try open(messages[0], in: world), try open(messages[1], in: world))
        if discardedFirst {
            world.clients[0].group.discard(loser)
            try world.clients[0].store()
            expectError(.generationReused) { try open(messages[1], in: world) }
        }
        try world.clients[0].merge(winner)
        if !discardedFirst {
            world.clients[0].group.discard(loser)
            try world.clients[0].store()
        }
        let past = try #require(world.clients[0].group.pastEpochs.last)
        for leaf in [1, 2] as [UInt32] { expectNoKey(past.messageKeys.secretTree, leaf, world) }
        #expect(past.messageKeys.secretTree.ratchets.keys.allSatisfy { $0.kind == .application })
        // Application data of the loser is different.
        #expect(try world.unprotect(late, by: 0).plaintext == Array("late".utf8))
        // Twice, or for another group, it does nothing.
        let before = world.clients[0].records
        world.clients[0].group.discard(loser)
        world.clients[0].group.discard(try World(members: 1, groupID: [9]).commit([], by: 0))
        try world.clients[0].store()
        #expect(world.clients[0].records == before)
    }

    @Test(arguments: [false, true])
    func aProposalThatIsNotWantedLeavesNoKey(spokeBefore: Bool) throws {
        var world = try sealing(spokeBefore)
        let message = try world.clients[1].group.propose(
            .remove(LeafIndex(3)), signer: world.clients[1].signer, now: nil, entropy: world.entropy)
        guard case .proposal(let pending) = try world.clients[0].group.process(message, now: nil) else {
            throw MLSError(.malformed, "not a proposal")
        }
        world.clients[0].group.discard(pending)
        try world.clients[0].store()
        #expect(world.clients[0].group.pendingProposals.isEmpty)
        expectNoKey(world.clients[0].group.current.messageKeys.secretTree, 1, world)
        expectError(.generationReused) { [world] in try world.clients[0].group.process(message, now: nil) }
        // The next one is opened as usual.
        let next = try world.clients[1].group.propose(
            .remove(LeafIndex(2)), signer: world.clients[1].signer, now: nil, entropy: world.entropy)
        _ = try world.clients[0].group.process(next, now: nil)
    }

    @Test func aLateFirstMessageBringsNoHandshakeKeysBack() throws {
        var world = try World(members: 4)
        let late = try world.protect("late", by: 1)
        try world.deliver(try world.commit([], by: 2), from: 2)
        _ = try world.unprotect(late, by: 0)
        let past = try #require(world.clients[0].group.pastEpochs.last).messageKeys.secretTree
        #expect(past.ratchets.keys.contains { $0 == .init(leaf: LeafIndex(1), kind: .application) })
        #expect(past.ratchets.keys.allSatisfy { $0.kind == .application })
        expectNoKey(past, 1, world)
    }

    @Test func whoHasBeenRemovedKeepsNoHandshakeKeysAndCanForgetTheRest() throws {
        var world = try sealing(true)
        _ = try world.unprotect(try world.protect("hello", by: 1), by: 3)
        let late = try ["one", "two"].map { try world.protect($0, by: 2) }
        let staged = try world.commit([.remove(LeafIndex(3))], by: 0)
        guard case .commit(let theirs) = try world.clients[3].group.process(staged.message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        try world.clients[3].merge(theirs)
        func ratchets() -> [SecretTree.RatchetID] {
            Array(world.clients[3].group.current.messageKeys.secretTree.ratchets.keys)
        }
        #expect(!ratchets().isEmpty && ratchets().allSatisfy { $0.kind == .application })
        _ = try world.unprotect(late[0], by: 3)
        #expect(ratchets().contains { $0.leaf == LeafIndex(2) } && ratchets().allSatisfy { $0.kind == .application })

        world.clients[3].group.forgetMessages()
        try world.clients[3].store()
        expectError(.epochTooOld) { try world.unprotect(late[1], by: 3) }
        let group = world.clients[3].group
        #expect(group.pastEpochs.isEmpty && group.current.messageKeys.secretTree.nodes.isEmpty && ratchets().isEmpty)
        #expect(!world.clients[3].records.keys.contains { $0.starts(with: [UInt8(ascii: "e")]) })
    }

    @Test func aMemberThatForgetsGoesOnInItsEpoch() throws {
        var world = try World(members: 2)
        let late = try world.protect("late", by: 1)
        try world.deliver(try world.commit([], by: 0), from: 0)
        let present = try world.protect("present", by: 1)
        world.clients[0].group.forgetMessages()
        try world.clients[0].store()
        expectError(.epochTooOld) { try world.unprotect(late, by: 0) }
        #expect(try world.unprotect(present, by: 0).plaintext == Array("present".utf8))
        try world.deliver(try world.commit([], by: 0), from: 0)
        try world.expectAgreement()
    }
}
