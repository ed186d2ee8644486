import MLS
import Testing

@testable import struct MLS.Group

/// How far messages may come out of order, what that costs in stored records, and what is gone afterwards.
struct MessageWindowTests {
    @Test func aMessageTooFarAheadIsRefusedAndTheNextOnesAreNot() throws {
        var world = try World(members: 2)
        let messages = try send(Int(Limits.forwardGenerations) + 2, by: 1, in: &world)
        expectError(.generationTooFarAhead) { try world.unprotect(messages[messages.count - 1], by: 0) }
        let last = messages[messages.count - 2]
        #expect(try world.unprotect(last, by: 0).generation == Limits.forwardGenerations)
        #expect(try world.unprotect(messages[messages.count - 1], by: 0).generation == Limits.forwardGenerations + 1)
        expectError(.generationReused) { try world.unprotect(last, by: 0) }
        #expect(try world.unprotect(messages[0], by: 0).generation == 0)
    }

    @Test func theOldestSkippedKeysGoFirst() throws {
        var world = try World(members: 2)
        let messages = try send(3000, by: 1, in: &world)
        for index in [1000, 2000, 2999] { _ = try world.clients[0].group.unprotect(messages[index]) }
        try world.clients[0].store()
        let kept = world.clients[0].records.keys.filter { $0.count > 9 && $0[9] == UInt8(ascii: "k") }
        #expect(kept.count == Limits.skippedKeys)
        let dropped = 2997 - Limits.skippedKeys
        expectError(.generationReused) { try world.unprotect(messages[0], by: 0) }
        expectError(.generationReused) { try world.unprotect(messages[dropped - 1], by: 0) }
        for index in [dropped, 2998] { _ = try world.unprotect(messages[index], by: 0) }
    }

    @Test(arguments: [0, 1, 3])
    func theWindowOfPastEpochsClosesAndLeavesNoSecretBehind(window: Int) throws {
        var world = try World(members: 2)
        for index in world.clients.indices { world.clients[index].group.configuration.pastEpochs = window }
        let messages = try send(3, by: 1, in: &world)
        _ = try world.unprotect(messages[1], by: 0)
        let secrets = try secrets(of: world.clients[0])
        for step in 1...window + 1 {
            try world.deliver(try world.commit([], by: step % 2), from: step % 2)
            if step == 1 && window > 0 { _ = try world.unprotect(messages[0], by: 0) }
        }
        expectError(.epochTooOld) { try world.unprotect(messages[2], by: 0) }
        #expect(world.clients[0].group.pastEpochs.count == window)
        for value in world.clients[0].records.values {
            for secret in secrets { #expect(!value.contains(secret)) }
        }
    }

    @Test func aPastEpochKeepsOnlyWhatOpensMessages() throws {
        var world = try World(members: 2)
        let own = try #require(world.clients[0].group.current.own).epoch
        try world.deliver(try world.commit([], by: 0), from: 0)
        for secret in [own.initSecret, own.exporter, own.external, own.confirmation, own.membership] {
            for value in world.clients[0].records.values { #expect(!value.contains(secret.unwipedCopy)) }
        }
    }

    @Test func aKeyThatWasUsedIsGone() throws {
        var world = try World(members: 2)
        let message = try world.protect("x", by: 1)
        let step = try world.clients[0].group.current.messageKeys.secretTree.key(
            for: .init(leaf: LeafIndex(1), kind: .application), generation: 0, crypto: world.crypto)
        let root = try #require(world.clients[0].group.current.messageKeys.secretTree.nodes.values.first)
        _ = try world.unprotect(message, by: 0)
        for value in world.clients[0].records.values {
            #expect(!value.contains(step.messageKey.key.unwipedCopy) && !value.contains(root.unwipedCopy))
        }
    }

    @Test(arguments: [(2, 3), (16, 6), (64, 8)])
    func whatOneMessageWritesDoesNotGrowWithTheGroup(members: Int, recordsOfTheFirst: Int) throws {
        var world = try World(members: 2)
        if members > 2 { try world.add(members - 2, by: 0, forcePath: false) }
        for number in 0..<3 {
            let message = try world.clients[1].group.protect(
                [1], signer: world.clients[1].signer, entropy: world.entropy)
            _ = try world.clients[0].group.unprotect(message)
            for index in 0...1 {
                let changes = world.clients[index].group.takeStateChanges()
                // First the way down the tree: a node gone, one left beside it on each level, two ratchets. Then one
                // ratchet.
                #expect(number == 0 ? changes.count <= recordsOfTheFirst + 1 : changes.count == 1)
                for case .put(let key, let value) in changes { #expect(key.count + value.count < 100) }
            }
        }
    }

    @Test func handshakeMessagesAreStoredInAnyOrder() throws {
        var world = try World(members: 2)
        world.clients[1].group.configuration.handshakeEncryption = true
        let key = world.clients[1].signer
        var pending: [PendingProposal] = []
        for _ in 0..<3 {
            let message = try world.clients[1].group.proposeUpdate(signer: key, entropy: world.entropy)
            guard case .proposal(let proposal) = try world.clients[0].group.process(message, now: World.now) else {
                throw MLSError(.malformed, "not a proposal")
            }
            pending.append(proposal)
        }
        for index in [1, 2, 0, 1] {
            try world.clients[0].group.storeProposal(pending[index])
            try world.clients[0].store()
        }
        let id = SecretTree.RatchetID(leaf: LeafIndex(1), kind: .handshake)
        let secretTree = world.clients[0].group.current.messageKeys.secretTree
        #expect(secretTree.ratchets[id]?.generation == 3)
        #expect(secretTree.skipped.isEmpty)
        #expect(world.clients[0].group.pendingProposals.count == 3)
        let staged = try world.commit([], by: 0)
        try world.deliver(staged, from: 0)
        expectError(.invalidState) { try world.clients[0].group.storeProposal(pending[0]) }
    }

    private func send(_ count: Int, by author: Int, in world: inout World) throws -> [[UInt8]] {
        var messages: [[UInt8]] = []
        for _ in 0..<count {
            messages.append(
                try world.clients[author].group.protect(
                    [1], signer: world.clients[author].signer, entropy: world.entropy))
        }
        try world.clients[author].store()
        return messages
    }

    /// Everything secret that a client has stored of its present epoch.
    private func secrets(of client: Client) throws -> [[UInt8]] {
        let own = try #require(client.group.current.own)
        let tree = client.group.current.messageKeys.secretTree
        let epoch = [
            own.epoch.senderData, own.epoch.exporter, own.epoch.external, own.epoch.confirmation, own.epoch.membership,
            own.epoch.resumption, own.epoch.initSecret,
        ]
        let keys = tree.skipped.values.flatMap { $0.flatMap { [$0.key, $0.nonce] } }
        return (epoch + tree.nodes.values + tree.ratchets.values.map(\.secret) + keys).map(\.unwipedCopy)
    }
}

extension Array where Element == UInt8 {
    /// Whether these contain some bytes.
    func contains(_ other: [UInt8]) -> Bool {
        if other.isEmpty || other.count > count { return false }
        return (0...count - other.count).contains {
            self[$0] == other[0] && self[$0..<$0 + other.count].elementsEqual(other)
        }
    }
}
