import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §2.1, §6 and §12.1: messages that are malformed, from no one, from elsewhere, or not what they claim.
struct FramingRuleTests {
    private static let remove = FramedContent.Body.proposal(.remove(RuleScene.honest))
    private static let empty = FramedContent.Body.commit(Commit(proposals: [], path: nil))

    private static let encoding: [Rule] = [
        Rule("2.1.1", "a presence byte that is neither 0 nor 1", .malformed) { scene in
            // A commit without proposals ends with its optional path.
            var body = TLSWriter()
            body.writeVector([ProposalOrRef]())
            body.write(UInt8(2))
            _ = try Commit(decoding: body.bytes)
            _ = scene
        },
        Rule("2.1.2", "a length that is not in its shortest form", .malformed) { scene in
            var message = try scene.forge(Self.remove)
            // The group's id, 7 bytes long, comes after version and wire format.
            message.replaceSubrange(4...4, with: [0x40, 0x07])
            try scene.process(message)
        },
        Rule("2.1.2", "a length that begins with the bits 11", .malformed) { scene in
            var message = try scene.forge(Self.remove)
            message[4] = 0xC7
            try scene.process(message)
        },
        Rule("2.1.2", "a vector longer than what is left", .malformed) { scene in
            var message = try scene.forge(Self.remove)
            message.replaceSubrange(4...4, with: [0x80, 0x01, 0x00, 0x00])
            try scene.process(message)
        },
        Rule("2.1.2", "a vector longer than the limit", .tooLarge) { scene in
            var message = try scene.forge(Self.remove)
            message.replaceSubrange(4...4, with: [0x84, 0x00, 0x00, 0x01])
            try scene.process(message)
        },
        Rule("6", "trailing bytes", .malformed) { scene in try scene.process(try scene.forge(Self.remove) + [0]) },
        Rule("6", "trailing bytes behind application data", .malformed) { scene in
            try scene.open(try scene.forgePrivate() + [0])
        },
        Rule("6", "another protocol version", .unsupported) { scene in
            var message = try scene.forge(Self.remove)
            message[1] = 2
            try scene.process(message)
        },
        Rule("8.1", "a group context of another version", .unsupported) { scene in
            var bytes = scene.victim.groupContext.encoded
            bytes[1] = 2
            _ = try GroupContext(decoding: bytes)
        },
        Rule("6", "an unknown wire format", .unsupported) { scene in
            var message = try scene.forge(Self.remove)
            message[3] = 9
            try scene.process(message)
        },
        Rule("6", "an unknown sender type", .malformed) { scene in
            var message = try scene.forge(Self.remove)
            // After version, wire format, the id with its length, and the epoch.
            message[4 + 1 + scene.victim.groupID.count + 8] = 5
            try scene.process(message)
        },
    ]

    private static let origin: [Rule] = [
        Rule("6.1", "another member's signature", .invalidSignature) { scene in
            try scene.process(try scene.forge(Self.remove, signer: scene.world.clients[2].signer))
        },
        Rule("6.1", "another member's signature on application data", .invalidSignature) { scene in
            try scene.open(try scene.forgePrivate(signer: scene.world.clients[2].signer))
        },
        Rule("6.1", "the signature of another wire format", .invalidSignature) { scene in
            let content = FramedContent(
                groupID: scene.forger.groupID, epoch: scene.forger.epoch, sender: .member(RuleScene.forger),
                authenticatedData: [], body: Self.remove)
            let signed = try AuthenticatedContent.sign(
                content, as: .privateMessage, context: scene.forger.current.encodedContext,
                signer: scene.forgerSigner, crypto: scene.crypto)
            try scene.process(
                try scene.world.protect(
                    AuthenticatedContent(wireFormat: .publicMessage, content: content, auth: signed.auth)))
        },
        Rule("6.1", "a signature of another epoch's context", .invalidSignature) { scene in
            var context = scene.forger.current.context
            context.epoch -= 1
            let content = FramedContent(
                groupID: scene.forger.groupID, epoch: scene.forger.epoch, sender: .member(RuleScene.forger),
                authenticatedData: [], body: Self.remove)
            try scene.process(
                try scene.world.protect(
                    try AuthenticatedContent.sign(
                        content, as: .publicMessage, context: context.encoded, signer: scene.forgerSigner,
                        crypto: scene.crypto)))
        },
        Rule("6.2", "a false membership tag", .invalidTag) { scene in
            var message = try scene.forge(Self.remove)
            message[message.count - 1] ^= 1
            try scene.process(message)
        },
        Rule("6.2", "the membership tag of another epoch", .invalidTag) { scene in
            var past = scene.world
            try past.deliver(try past.commit([], by: 1), from: 1)
            let content = FramedContent(
                groupID: scene.forger.groupID, epoch: scene.forger.epoch, sender: .member(RuleScene.forger),
                authenticatedData: [], body: Self.remove)
            let context = scene.forger.current.encodedContext
            let signed = try AuthenticatedContent.sign(
                content, as: .publicMessage, context: context, signer: scene.forgerSigner, crypto: scene.crypto)
            let other = try past.clients[1].group.ownSecrets().epoch.membership
            try scene.process(
                MLSMessage.publicMessage(
                    PublicMessage(protecting: signed, membershipKey: other, context: context, crypto: scene.crypto)
                ).encoded)
        },
        Rule("6.1", "a blank sender", .malformed) { scene in
            try scene.process(try scene.forge(Self.remove, sender: .member(LeafIndex(4))))
        },
        Rule("6.1", "a sender outside of the tree", .malformed) { scene in
            try scene.process(try scene.forge(Self.remove, sender: .member(LeafIndex(.max))))
        },
        Rule("6.1", "a Remove by somebody who joins by commit", .malformed) { scene in
            try scene.process(try scene.forge(Self.remove, sender: .newMemberCommit))
        },
        Rule("12.1.8", "a proposal of an external sender that the group does not know", .invalidProposal) { scene in
            try scene.process(try scene.forge(Self.remove, sender: .external(0)))
        },
        Rule("6.1", "a Remove by a new member who proposes", .malformed) { scene in
            try scene.process(try scene.forge(Self.remove, sender: .newMemberProposal))
        },
        Rule(
            "6.1", "a new member's Add, signed by another", .invalidSignature,
            prepare: { scene in scene.victim.configuration.acceptsNewMemberProposals = true }
        ) { scene in
            try scene.process(
                try scene.forge(.proposal(.add(try scene.keyPackage())), sender: .newMemberProposal))
        },
        Rule("6.1", "a commit by an external sender", .malformed) { scene in
            try scene.process(try scene.forge(Self.empty, sender: .external(0)))
        },
        Rule("6.1", "a commit by a new member who proposes", .malformed) { scene in
            try scene.process(try scene.forge(Self.empty, sender: .newMemberProposal))
        },
        Rule("12.1", "a proposal of the last epoch", .epochTooOld) { scene in
            try scene.process(try scene.forge(Self.remove, epoch: scene.victim.epoch - 1))
        },
        Rule("12.1", "a proposal of the next epoch", .epochNotReached) { scene in
            try scene.process(try scene.forge(Self.remove, epoch: scene.victim.epoch + 1))
        },
        Rule("12.4.2", "a commit of the last epoch", .epochTooOld) { scene in
            try scene.process(try scene.forge(Self.empty, epoch: 0))
        },
        Rule("12.4.2", "a commit of the last of all epochs", .epochNotReached) { scene in
            try scene.process(try scene.forge(Self.empty, epoch: .max))
        },
        Rule("6", "a message of another group", .wrongGroup) { scene in
            try scene.process(try scene.forge(Self.remove, groupID: [1]))
        },
        Rule("6", "application data of another group", .wrongGroup) { scene in
            var message = try scene.forgePrivate()
            message[5] ^= 1
            try scene.open(message)
        },
        Rule("6", "application data of the next epoch", .epochNotReached) { scene in
            var message = try scene.forgePrivate()
            message[4 + 1 + scene.victim.groupID.count + 7] += 1
            try scene.open(message)
        },
        Rule("6.3", "a proposal of the victim itself", .ownMessage) { scene in
            var copy = scene
            try scene.process(
                try copy.victim.proposeUpdate(signer: scene.world.clients[0].signer, entropy: scene.entropy))
        },
        Rule("6.3", "application data of the victim itself", .ownMessage) { scene in
            var copy = scene
            try copy.open(try copy.world.protect("own", by: 0))
        },
        Rule("6", "readable application data", .malformed) { scene in
            try scene.process(try scene.forge(.application([1])))
        },
        Rule("6", "readable application data, to be opened", .malformed) { scene in
            try scene.open(try scene.forge(.application([1])))
        },
        Rule("6", "application data where a handshake belongs", .malformed) { scene in
            try scene.process(try scene.forgePrivate())
        },
        Rule("6", "a handshake where application data belongs", .malformed) { scene in
            try scene.open(try scene.forge(Self.remove, as: .privateMessage))
        },
        Rule("6", "a GroupInfo where a message belongs", .malformed) { scene in
            try scene.process(try scene.forger.groupInfo(signer: scene.forgerSigner))
        },
    ]

    private static let sealing: [Rule] = [
        Rule("6.3.1", "padding that is not zero", .malformed) { scene in
            try scene.open(try scene.forgePrivate(padding: [0, 1, 0]))
        },
        Rule("6.3.1", "one byte of padding that is not zero", .malformed) { scene in
            try scene.open(try scene.forgePrivate(padding: [1]))
        },
        Rule("6.3.1", "a ciphertext that has been changed", .decryptionFailed) { scene in
            var message = try scene.forgePrivate()
            message[message.count - 1] ^= 1
            try scene.open(message)
        },
        Rule("6.3.1", "other authenticated data than was sealed", .decryptionFailed) { scene in
            guard case .privateMessage(let message) = try MLSMessage(decoding: try scene.forgePrivate()) else { return }
            var changed = TLSWriter()
            changed.writeRaw([0, 1, 0, 2])
            changed.writeOpaque(message.groupID)
            changed.write(message.epoch)
            changed.write(message.contentType)
            changed.writeOpaque([1])
            changed.writeOpaque(message.encryptedSenderData)
            changed.writeOpaque(message.ciphertext)
            try scene.open(changed.bytes)
        },
        Rule("6.3.1", "a content type that is not the sealed one's", .decryptionFailed) { scene in
            var message = try scene.forgePrivate()
            message[4 + 1 + scene.victim.groupID.count + 8] = ContentType.proposal.rawValue
            try scene.process(message)
        },
        Rule("6.3.2", "sender data of a blank leaf", .malformed) { scene in
            try scene.open(try scene.forgePrivate(leaf: LeafIndex(4)))
        },
        Rule("6.3.2", "sender data of a leaf outside of the tree", .malformed) { scene in
            try scene.open(try scene.forgePrivate(leaf: LeafIndex(.max)))
        },
        Rule("6.3.2", "sender data of another member", .decryptionFailed) { scene in
            try scene.open(try scene.forgePrivate(leaf: RuleScene.other))
        },
        Rule("6.3.2", "sender data that is too long", .malformed) { scene in
            try scene.open(try scene.forgePrivate(tail: [0]))
        },
    ]

    @Test(arguments: encoding + origin + sealing)
    func aMessageThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theForgerIsBelievedWhereItKeepsTheRules() throws {
        var scene = try RuleScene()
        try scene.process(try scene.forge(Self.remove))
        try scene.process(try scene.forge(Self.remove, as: .privateMessage))
        try scene.open(try scene.forgePrivate())
        try scene.open(try scene.forgePrivate(generation: 1, padding: [0, 0, 0]))
    }
}
