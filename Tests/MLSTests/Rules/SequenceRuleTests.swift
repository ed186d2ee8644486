import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.4, §14 and §15.2: the order of things, and which keys seal them.
struct SequenceRuleTests {
    @Test func dataWaitsForProposalsWhereItIsToWait() throws {
        var world = try World(members: 3)
        try world.propose(.remove(LeafIndex(2)), by: 1)
        _ = try world.protect("at once", by: 0)
        world.clients[0].group.configuration.commitsBeforeData = true
        expectError(.invalidState) { try world.protect("too early", by: 0) }
        try world.deliver(try world.commit([], by: 0), from: 0)
        #expect(try world.unprotect(try world.protect("then", by: 0), by: 1).plaintext == Array("then".utf8))
    }

    @Test func whatIsSentAfterAChangeIsOfItsEpoch() throws {
        var world = try World(members: 3)
        let staged = try world.commit([.remove(LeafIndex(2))], by: 0)
        var removed = world.clients[2].group
        try world.deliver(staged, from: 0)
        let message = try world.protect("among us", by: 0)
        #expect(try MLSMessage.summary(of: message).epoch == staged.baseEpoch + 1)
        expectError(.epochNotReached) { try removed.unprotect(message) }
        #expect(try world.unprotect(message, by: 1).epoch == staged.baseEpoch + 1)
    }

    /// A restored sender uses its key again: the guard keeps the two messages apart.
    @Test func aKeyThatIsUsedTwiceMeetsTwoNonces() throws {
        let world = try World(members: 2)
        func seal(_ seed: UInt64) throws -> (guard: [UInt8], ciphertext: [UInt8], generation: UInt32) {
            var copy = world.clients[0].group
            let message = try copy.protect(
                Array("hello".utf8), signer: world.clients[0].signer, entropy: SeededEntropy(seed: seed))
            guard case .privateMessage(let sealed) = try MLSMessage(decoding: message) else {
                throw MLSError(.malformed, "not a PrivateMessage")
            }
            let data = try sealed.openSenderData(
                senderDataSecret: world.clients[1].group.current.messageKeys.senderData, crypto: world.crypto)
            return (data.reuseGuard, sealed.ciphertext, data.generation)
        }
        let messages = try (1...4).map(seal)
        #expect(Set(messages.map(\.guard)).count == 4 && messages.allSatisfy { $0.guard.count == 4 })
        #expect(Set(messages.map(\.ciphertext)).count == 4 && Set(messages.map(\.generation)) == [0])
        // The same randomness gives the same message, so it is the guard that made the difference.
        #expect(try seal(1).ciphertext == messages[0].ciphertext)
    }
}
