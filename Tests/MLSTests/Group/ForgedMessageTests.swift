import MLS
import Testing

@testable import struct MLS.Group

/// Messages of members that break the rules: properly signed and tagged, so that only the rule can refuse them.
struct ForgedMessageTests {
    @Test func commitsThatBreakARuleAreRefused() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let nonce = [UInt8](repeating: 7, count: crypto.suite.hashLength)
        let psk = Proposal.preSharedKey(.init(source: .external(id: [1]), nonce: nonce))
        let groupID = world.clients[0].group.groupID
        let stranger = try world.newBundle().bundle.keyPackage
        let expired = try world.newBundle(lifetime: Lifetime(notBefore: 0, notAfter: World.now - 1)).bundle.keyPackage
        let leaf = try #require(world.clients[1].group.current.tree[LeafIndex(1)])
        let ownKeys = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: [5]), signer: world.clients[1].signer, lifetime: World.lifetime,
            entropy: world.entropy
        ).keyPackage
        let otherSuite = try KeyPackageBundle.generate(
            crypto: suite(3), identity: .basic(identity: [5]), signer: world.clients[1].signer,
            lifetime: World.lifetime,
            entropy: world.entropy
        ).keyPackage
        let signer = world.clients[1].signer
        let nobodysKey = [UInt8](repeating: 0, count: 32)
        func keyPackage(initKey: [UInt8], encryptionKey: [UInt8]) throws -> KeyPackage {
            let leaf = try LeafNode(
                encryptionKey: encryptionKey, profile: stranger.leafNode.profile, source: .keyPackage(World.lifetime),
                placement: nil, signer: signer, crypto: crypto)
            return try KeyPackage(initKey: initKey, leafNode: leaf, extensions: [], signer: signer, crypto: crypto)
        }
        let unreachable = try keyPackage(initKey: stranger.initKey, encryptionKey: nobodysKey)
        let unwelcome = try keyPackage(initKey: nobodysKey, encryptionKey: stranger.leafNode.encryptionKey)
        let reInit = ReInit(groupID: [1], cipherSuite: crypto.suite.identifier, extensions: [])
        let oldReInit = ReInit(
            groupID: [1], version: ProtocolVersion(0), cipherSuite: crypto.suite.identifier, extensions: [])

        let cases: [(String, [ProposalOrRef], MLSError.Code)] = [
            ("nothing and no path", [], .invalidCommit),
            ("a Remove without a path", [.proposal(.remove(LeafIndex(2)))], .invalidCommit),
            ("extensions without a path", [.proposal(.groupContextExtensions([]))], .invalidCommit),
            ("an own Update", [.proposal(.update(leaf))], .invalidProposal),
            ("a Remove of the committer", [.proposal(.remove(LeafIndex(1)))], .invalidProposal),
            (
                "two Removes of one leaf", [.proposal(.remove(LeafIndex(2))), .proposal(.remove(LeafIndex(2)))],
                .invalidProposal
            ),
            ("an ExternalInit", [.proposal(.externalInit(kemOutput: [1]))], .invalidProposal),
            (
                "two sets of extensions",
                [.proposal(.groupContextExtensions([])), .proposal(.groupContextExtensions([]))], .invalidProposal
            ),
            ("a ReInit and more", [.proposal(.reInit(reInit)), .proposal(.add(stranger))], .invalidProposal),
            ("a ReInit to an older version", [.proposal(.reInit(oldReInit))], .invalidProposal),
            ("one PSK twice", [.proposal(psk), .proposal(psk)], .invalidProposal),
            ("an unknown PSK", [.proposal(psk)], .unknownReference),
            (
                "a PSK of an epoch that is not",
                [
                    .proposal(
                        .preSharedKey(
                            .init(source: .resumption(.application, groupID: groupID, epoch: 99), nonce: nonce)))
                ],
                .unknownReference
            ),
            ("a leaf that nothing can be sealed to", [.proposal(.add(unreachable))], .invalidKey),
            ("a joiner that nothing can be sealed to", [.proposal(.add(unwelcome))], .invalidKey),
            (
                "more proposals than a commit may have",
                Array(repeating: .reference(ProposalRef([])), count: Limits.commitProposals + 1), .tooLarge
            ),
            (
                "a short PSK nonce", [.proposal(.preSharedKey(.init(source: .external(id: [1]), nonce: [1])))],
                .invalidProposal
            ),
            (
                "a PSK for a ReInit",
                [
                    .proposal(
                        .preSharedKey(.init(source: .resumption(.reinit, groupID: groupID, epoch: 0), nonce: nonce)))
                ],
                .invalidProposal
            ),
            (
                "a PSK for a branch",
                [
                    .proposal(
                        .preSharedKey(.init(source: .resumption(.branch, groupID: groupID, epoch: 0), nonce: nonce)))
                ],
                .invalidProposal
            ),
            ("an unknown reference", [.reference(ProposalRef([1, 2, 3]))], .unknownReference),
            ("an Add of a member", [.proposal(.add(ownKeys))], .invalidLeafNode),
            ("two Adds of one client", [.proposal(.add(stranger)), .proposal(.add(stranger))], .invalidLeafNode),
            ("an Add that is out of date", [.proposal(.add(expired))], .expired),
            ("an Add of another suite", [.proposal(.add(otherSuite))], .invalidKeyPackage),
            ("a false confirmation tag", [.proposal(.add(stranger))], .invalidTag),
        ]
        for (name, proposals, code) in cases {
            for format in [WireFormat.publicMessage, .privateMessage] {
                let message = try world.forge(.commit(Commit(proposals: proposals, path: nil)), as: format)
                expectError(code, name) { try world.clients[0].group.process(message, now: World.now) }
            }
        }
    }

    @Test func messagesFromNobodyOrElsewhereAreRefused() throws {
        var world = try World(members: 3)
        let remove = FramedContent.Body.proposal(.remove(LeafIndex(2)))
        let other = try World(members: 2).clients[0]
        let key = world.clients[2].signer
        let cases: [(String, [UInt8], MLSError.Code)] = try [
            ("another's signature", world.forge(remove, signer: key), .invalidSignature),
            ("a blank sender", world.forge(remove, sender: .member(LeafIndex(3))), .malformed),
            ("a sender outside of the tree", world.forge(remove, sender: .member(LeafIndex(.max))), .malformed),
            ("an unknown external sender", world.forge(remove, sender: .external(0)), .invalidProposal),
            ("a Remove of a new member", world.forge(remove, sender: .newMemberProposal), .malformed),
            ("a Remove by a committer to be", world.forge(remove, sender: .newMemberCommit), .malformed),
            (
                "a commit of an external sender",
                world.forge(.commit(Commit(proposals: [], path: nil)), sender: .external(0)), .malformed
            ),
            (
                "an external commit without a path",
                world.forge(.commit(Commit(proposals: [], path: nil)), sender: .newMemberCommit), .invalidCommit
            ),
            ("the last epoch", world.forge(remove, epoch: 0), .epochTooOld),
            ("the next epoch", world.forge(remove, epoch: 2), .epochNotReached),
            ("the last of all epochs", world.forge(remove, epoch: .max), .epochNotReached),
            ("another group", world.forge(remove, groupID: [1]), .wrongGroup),
            ("readable application data", world.forge(.application([1])), .malformed),
            (
                "application data for processing",
                world.clients[1].group.protect([1], signer: world.clients[1].signer, entropy: world.entropy), .malformed
            ),
            (
                "a GroupInfo", world.clients[1].group.groupInfo(signer: world.clients[1].signer), .malformed
            ),
        ]
        for (name, message, code) in cases {
            expectError(code, name) { try world.clients[0].group.process(message, now: World.now) }
        }
        // The same proposal in good form, so that the cases fail for their reason only.
        _ = try world.clients[0].group.process(world.forge(remove), now: World.now)
        let foreign = try other.group.groupInfo(signer: other.signer)
        expectError(.malformed) { try world.clients[0].group.process(foreign, now: World.now) }
        expectError(.malformed) { try world.unprotect(world.forge(remove), by: 0) }
        expectError(.malformed) { try world.unprotect(world.forge(remove, as: .privateMessage), by: 0) }
    }

    @Test func paddingMustBeZero() throws {
        var world = try World(members: 2)
        for (padding, isGood) in [([], true), ([0, 0, 0], true), ([0, 1, 0], false), ([1], false)] as [([UInt8], Bool)]
        {
            let message = try world.sealApplicationData([7], padding: padding)
            if isGood {
                #expect(try world.clients[0].group.unprotect(message).plaintext == [7])
            } else {
                expectError(.malformed) { try world.clients[0].group.unprotect(message) }
            }
        }
    }

    @Test func aTagThatDoesNotFitIsRefused() throws {
        let world = try World(members: 2)
        var message = try world.commit([], by: 1).message
        message[message.count - 1] ^= 1
        expectError(.invalidTag) { try world.clients[0].group.process(message, now: World.now) }
    }

    @Test func externalCommitsThatBreakARuleAreRefused() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer)
        let (name, signer) = try world.newIdentity()
        let staged = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: Array(name.utf8)), signer: signer, crypto: crypto,
            entropy: world.entropy)
        guard case .publicMessage(let genuine) = try MLSMessage(decoding: staged.message),
            case .commit(let commit) = genuine.content.body
        else { throw MLSError(.malformed, "not a commit") }
        let stranger = try world.newBundle().bundle.keyPackage
        let remove = try world.forge(.proposal(.remove(LeafIndex(2))))
        guard case .proposal(let pending) = try world.clients[0].group.process(remove, now: World.now) else {
            throw MLSError(.malformed, "not a proposal")
        }
        try world.clients[0].group.storeProposal(pending)

        let cases: [(String, [ProposalOrRef], MLSError.Code)] = [
            ("no ExternalInit", [], .invalidProposal),
            ("two ExternalInits", commit.proposals + commit.proposals, .invalidProposal),
            ("an Add", commit.proposals + [.proposal(.add(stranger))], .invalidProposal),
            ("a reference", commit.proposals + [.reference(pending.reference)], .invalidProposal),
            ("extensions", commit.proposals + [.proposal(.groupContextExtensions([]))], .invalidProposal),
            (
                "two Removes",
                commit.proposals + [.proposal(.remove(LeafIndex(1))), .proposal(.remove(LeafIndex(2)))],
                .invalidProposal
            ),
            ("a Remove of somebody else", commit.proposals + [.proposal(.remove(LeafIndex(1)))], .invalidLeafNode),
            ("another ExternalInit", [.proposal(.externalInit(kemOutput: [1]))], .decryptionFailed),
            ("a false confirmation tag", commit.proposals, .invalidTag),
        ]
        for (name, proposals, code) in cases {
            let message = try world.forge(
                .commit(Commit(proposals: proposals, path: commit.path)), sender: .newMemberCommit, signer: signer)
            expectError(code, name) { try world.clients[0].group.process(message, now: World.now) }
        }
        _ = try world.clients[0].group.process(staged.message, now: World.now)
    }

    @Test func nobodyTakesAnothersNameUnlessTheGroupAllowsIt() throws {
        var world = try World(members: 3)
        let leaf = try #require(world.clients[1].group.current.tree[LeafIndex(1)])
        let renamed = try LeafNode(
            encryptionKey: try world.crypto.generateHPKEKey(world.entropy).publicKey,
            profile: .init(credential: .basic(identity: Array("client 1".utf8)), capabilities: leaf.capabilities),
            source: .update, placement: .init(groupID: world.clients[0].group.groupID, leafIndex: LeafIndex(1)),
            signer: world.clients[1].signer, crypto: world.crypto)
        let proposal = try world.forge(.proposal(.update(renamed)))
        for reader in [0, 2] {
            guard case .proposal(let pending) = try world.clients[reader].group.process(proposal, now: World.now) else {
                throw MLSError(.malformed, "not a proposal")
            }
            try world.clients[reader].group.storeProposal(pending)
        }
        #expect(try world.commit([], by: 0).changes.updated.map(\.index) == [LeafIndex(0)])
        world.clients[0].group.configuration.allowsCredentialChange = true
        let staged = try world.commit([], by: 0)
        #expect(staged.changes.updated.map(\.index) == [LeafIndex(1), LeafIndex(0)])
        expectError(.invalidLeafNode) { try world.clients[2].group.process(staged.message, now: World.now) }
        world.clients[2].group.configuration.allowsCredentialChange = true
        guard case .commit(let theirs) = try world.clients[2].group.process(staged.message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        #expect(theirs.next?.member(at: LeafIndex(1))?.identity == Array("client 1".utf8))
    }
}

extension World {
    /// A message of the second client, signed and tagged with what a member has, whatever it says.
    func forge(
        _ body: FramedContent.Body, as format: WireFormat = .publicMessage, sender: Sender = .member(LeafIndex(1)),
        epoch: UInt64? = nil, groupID: [UInt8]? = nil, signer: SignaturePrivateKey? = nil
    ) throws -> [UInt8] {
        let forger = clients[1]
        let group = forger.group
        let content = FramedContent(
            groupID: groupID ?? group.groupID, epoch: epoch ?? group.epoch, sender: sender, authenticatedData: [],
            body: body)
        var signed = try AuthenticatedContent.sign(
            content, as: format, context: group.current.encodedContext, signer: signer ?? forger.signer, crypto: crypto)
        if body.type == .commit { signed = signed.with(confirmationTag: [0]) }
        if case .member = sender { return try group.protectHandshake(signed, entropy: entropy).message.encoded }
        return MLSMessage.publicMessage(PublicMessage(fromOutside: signed)).encoded
    }

    /// A PrivateMessage of the second client with any padding, built step by step.
    mutating func sealApplicationData(_ plaintext: [UInt8], padding: [UInt8]) throws -> [UInt8] {
        let group = clients[1].group
        let content = FramedContent(
            groupID: group.groupID, epoch: group.epoch, sender: .member(LeafIndex(1)), authenticatedData: [],
            body: .application(plaintext))
        let signed = try AuthenticatedContent.sign(
            content, as: .privateMessage, context: group.current.encodedContext, signer: clients[1].signer,
            crypto: crypto)
        let step = try group.current.messageKeys.secretTree.nextKey(
            for: .init(leaf: LeafIndex(1), kind: .application), crypto: crypto)
        clients[1].group.consume(step)
        var header = TLSWriter()
        header.writeOpaque(group.groupID)
        header.write(group.epoch)
        header.write(ContentType.application)
        var inner = TLSWriter()
        inner.writeOpaque(plaintext)
        inner.writeOpaque(signed.auth.signature)
        inner.writeRaw(padding)
        let ciphertext = try crypto.seal(
            key: step.messageKey.key, nonce: step.messageKey.nonce.unwipedCopy, aad: header.bytes + [0], inner.bytes)
        let senderData = SenderData(
            leaf: LeafIndex(1), generation: step.messageKey.generation, reuseGuard: [0, 0, 0, 0])
        let keys = SenderData.keys(
            secret: group.current.messageKeys.senderData, ciphertext: ciphertext, crypto: crypto)
        let sealed = try crypto.seal(key: keys.key, nonce: keys.nonce, aad: header.bytes, senderData.encoded)
        var message = TLSWriter()
        message.writeRaw([0, 1, 0, 2])
        message.writeRaw(header.bytes)
        message.writeOpaque([UInt8]())
        message.writeOpaque(sealed)
        message.writeOpaque(ciphertext)
        return message.bytes
    }
}
