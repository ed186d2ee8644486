import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §9: each key opens one message, and none is far from the last.
struct SecretTreeRuleTests {
    private static let rules: [Rule] = [
        Rule("9.1", "a generation that has been used", .generationReused) { scene in
            // Opened by a copy of the victim, so that the victim itself sees only the second attempt.
            var copy = scene
            try copy.open(try scene.forgePrivate())
            try copy.open(try scene.forgePrivate())
        },
        Rule("9.1", "a passed generation that has been used", .generationReused) { scene in
            var copy = scene
            for generation in [3, 1, 1] as [UInt32] { try copy.open(try scene.forgePrivate(generation: generation)) }
        },
        Rule("9.2", "a generation too far ahead", .generationTooFarAhead) { scene in
            try scene.open(try Self.claiming(Limits.forwardGenerations + 1, scene))
        },
        Rule("9.2", "the last of all generations", .generationTooFarAhead) { scene in
            try scene.open(try Self.claiming(.max, scene))
        },
        Rule("9.1", "a handshake key for application data", .decryptionFailed) { scene in
            try scene.open(try scene.forgePrivate(kind: .handshake))
        },
        Rule("9.2", "an epoch whose window has closed", .epochTooOld) { scene in
            scene.victim.configuration.pastEpochs = 1
            var copy = scene
            let message = try scene.forgePrivate()
            for _ in 0..<2 { try copy.world.deliver(try copy.world.commit([], by: 2), from: 2) }
            try copy.open(message)
        },
        Rule("9.2", "an epoch before the victim joined", .epochTooOld) { scene in
            // Member 3 came last.
            let last = scene.world.clients.count - 1
            var message = try scene.forgePrivate()
            message[4 + 1 + scene.victim.groupID.count + 7] -= 1
            _ = try scene.world.clients[last].group.unprotect(message)
        },
    ]

    /// Sender data may claim any generation; the key comes after it.
    private static func claiming(_ generation: UInt32, _ scene: RuleScene) throws -> [UInt8] {
        guard case .privateMessage(let message) = try MLSMessage(decoding: try scene.forgePrivate()) else { return [] }
        var header = TLSWriter()
        header.writeOpaque(message.groupID)
        header.write(message.epoch)
        header.write(message.contentType)
        let keys = SenderData.keys(
            secret: scene.forger.current.messageKeys.senderData, ciphertext: message.ciphertext, crypto: scene.crypto)
        let senderData = SenderData(leaf: RuleScene.forger, generation: generation, reuseGuard: [0, 0, 0, 0])
        let sealed = try scene.crypto.seal(
            key: keys.key, nonce: keys.nonce, aad: header.bytes, senderData.encoded)
        var claim = TLSWriter()
        claim.writeRaw([0, 1, 0, 2])
        claim.writeRaw(header.bytes)
        claim.writeOpaque([UInt8]())
        claim.writeOpaque(sealed)
        claim.writeOpaque(message.ciphertext)
        return claim.bytes
    }

    @Test(arguments: rules)
    func aMessageThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }
}
