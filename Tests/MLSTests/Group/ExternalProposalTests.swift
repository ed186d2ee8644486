import MLS
import Testing

@testable import struct MLS.Group

/// Proposals from outside the group (RFC 9420 §12.1.8).
struct ExternalProposalTests {
    /// A world with two external senders, and the key of the second.
    private func worldWithSenders(suite number: UInt16 = 1) throws -> (World, SignaturePrivateKey) {
        let crypto = try suite(number)
        let entropy = SeededEntropy(seed: 99)
        let signers = [try crypto.generateSignatureKey(entropy), try crypto.generateSignatureKey(entropy)]
        let senders = signers.map {
            ExternalSender(signatureKey: $0.publicKey, credential: .basic(identity: Array("a service".utf8)))
        }
        return (try World(suite: number, members: 3, extensions: [.externalSenders(senders)]), signers[1])
    }

    @Test(arguments: allSuites)
    func whatAnExternalSenderProposesIsCommitted(number: UInt16) throws {
        var (world, signer) = try worldWithSenders(suite: number)
        let newcomer = try world.newBundle()
        let psk = PreSharedKey(source: .external(id: [1]), secret: Secret([1]))
        let id = PreSharedKeyID(source: psk.source, suite: world.crypto.suite, entropy: world.entropy)
        let proposals: [Proposal] = [
            .add(newcomer.bundle.keyPackage), .remove(LeafIndex(1)), .preSharedKey(id),
            .groupContextExtensions(world.clients[0].group.extensions + [.requiredCapabilities(.init())]),
        ]
        for proposal in proposals {
            let message = try world.externalProposal(proposal, signer: signer)
            try world.deliverProposal(message, from: nil)
        }
        #expect(world.clients[0].group.pendingProposals.allSatisfy { $0.origin == .external(1) && $0.sender == nil })
        let staged = try world.commit([], by: 2, psks: [psk])
        try world.deliver(staged, from: 2, psks: [psk])
        try world.welcome([newcomer], staged, psks: [psk])
        try world.expectAgreement()
        #expect(world.clients[0].group.extensions.count == 2)

        let reInit = ReInit(groupID: [7], cipherSuite: world.crypto.suite.identifier, extensions: [])
        try world.deliverProposal(try world.externalProposal(.reInit(reInit), signer: signer), from: nil)
        try world.deliver(try world.commit([], by: 0), from: 0)
        #expect(world.clients[1].group.reInit == reInit)
    }

    @Test func onlyTheGroupsExternalSendersAreHeardAndOnlyWithTheirProposals() throws {
        let (world, signer) = try worldWithSenders()
        let stranger = try world.crypto.generateSignatureKey(world.entropy)
        let leaf = try #require(world.clients[0].group.current.tree[LeafIndex(0)])
        expectError(.invalidState) { try world.externalProposal(.remove(LeafIndex(1)), signer: stranger) }
        for proposal in [Proposal.update(leaf), .externalInit(kemOutput: [])] {
            expectError(.invalidProposal) { try world.externalProposal(proposal, signer: signer) }
        }
        let remove = FramedContent.Body.proposal(.remove(LeafIndex(2)))
        let cases: [(String, FramedContent.Body, UInt32, SignaturePrivateKey, MLSError.Code?)] = [
            ("all right", remove, 1, signer, nil),
            ("another sender's place", remove, 0, signer, .invalidSignature),
            ("a place that is not", remove, 2, signer, .invalidProposal),
            ("the last of all places", remove, .max, signer, .invalidProposal),
            ("a stranger's key", remove, 1, stranger, .invalidSignature),
            ("an Update", .proposal(.update(leaf)), 1, signer, .malformed),
            ("an ExternalInit", .proposal(.externalInit(kemOutput: [])), 1, signer, .malformed),
            ("a commit", .commit(Commit(proposals: [], path: nil)), 1, signer, .malformed),
        ]
        for (name, body, place, key, code) in cases {
            let message = try world.forge(body, sender: .external(place), signer: key)
            if let code {
                expectError(code, name) { try world.clients[0].group.process(message, now: World.now) }
            } else {
                _ = try world.clients[0].group.process(message, now: World.now)
            }
        }
        // A PrivateMessage can only come from a member: its sender data names a leaf.
        let epochs = try world.externalProposal(.remove(LeafIndex(1)), signer: signer)
        var later = world
        try later.deliver(try later.commit([], by: 0), from: 0)
        expectError(.epochTooOld) { try later.clients[0].group.process(epochs, now: World.now) }
    }

    @Test func noChangedProposalFromOutsideIsTaken() throws {
        var (world, signer) = try worldWithSenders()
        world.clients[0].group.configuration.acceptsNewMemberProposals = true
        let newcomer = try world.newBundle()
        let messages = [
            try world.externalProposal(.remove(LeafIndex(1)), signer: signer),
            try Group.newMemberProposal(
                newcomer.bundle.keyPackage,
                groupInfo: try world.clients[0].group.groupInfo(signer: world.clients[0].signer),
                signer: newcomer.signer, crypto: world.crypto, now: World.now),
        ]
        for message in messages {
            _ = try world.clients[0].group.process(message, now: World.now)
            for place in message.indices {
                var changed = message
                changed[place] ^= 1
                #expect(throws: MLSError.self, "byte \(place)") {
                    try world.clients[0].group.process(changed, now: World.now)
                }
            }
        }
    }

    @Test func anExternalSenderCannotRemoveTheCommitterButOthersCan() throws {
        var (world, signer) = try worldWithSenders()
        try world.deliverProposal(try world.externalProposal(.remove(LeafIndex(0)), signer: signer), from: nil)
        #expect(try world.commit([], by: 0).changes.removed.isEmpty)
        try world.deliver(try world.commit([], by: 1), from: 1)
        #expect(world.clients.count == 2)
        try world.expectAgreement()
    }

    @Test(arguments: allSuites)
    func aNewMemberProposesItself(number: UInt16) throws {
        var world = try World(suite: number, members: 3)
        let newcomer = try world.newBundle()
        let info = try world.clients[1].group.groupInfo(signer: world.clients[1].signer, inlineTree: false)
        let message = try Group.newMemberProposal(
            newcomer.bundle.keyPackage, groupInfo: info, signer: newcomer.signer, crypto: world.crypto,
            now: World.now)
        expectError(.invalidProposal, "as long as nobody wants it") { [world] in
            try world.clients[0].group.process(message, now: World.now)
        }
        for index in world.clients.indices { world.clients[index].group.configuration.acceptsNewMemberProposals = true }
        try world.deliverProposal(message, from: nil)
        #expect(world.clients[0].group.pendingProposals.map(\.origin) == [.newMemberProposal])
        let staged = try world.commit([], by: 0)
        try world.deliver(staged, from: 0)
        try world.welcome([newcomer], staged)
        try world.expectAgreement()
    }

    @Test func aNewMemberSignsItsOwnAddAndNothingElse() throws {
        var world = try World(members: 2)
        world.clients[0].group.configuration.acceptsNewMemberProposals = true
        let newcomer = try world.newBundle()
        let info = try world.clients[0].group.groupInfo(signer: world.clients[0].signer)
        expectError(.invalidState) { [world] in
            try Group.newMemberProposal(
                newcomer.bundle.keyPackage, groupInfo: info, signer: world.clients[0].signer, crypto: world.crypto,
                now: World.now)
        }
        expectError(.unsupported) {
            try Group.newMemberProposal(
                newcomer.bundle.keyPackage, groupInfo: info, signer: newcomer.signer, crypto: suite(3), now: World.now)
        }
        let add = FramedContent.Body.proposal(.add(newcomer.bundle.keyPackage))
        let cases: [(String, FramedContent.Body, SignaturePrivateKey, MLSError.Code)] = [
            ("another's signature", add, world.clients[1].signer, .invalidSignature),
            ("a Remove", .proposal(.remove(LeafIndex(1))), newcomer.signer, .malformed),
            ("a commit", .commit(Commit(proposals: [], path: nil)), newcomer.signer, .malformed),
        ]
        for (name, body, key, code) in cases {
            let message = try world.forge(body, sender: .newMemberProposal, signer: key)
            expectError(code, name) { try world.clients[0].group.process(message, now: World.now) }
        }
    }
}

extension World {
    fileprivate func externalProposal(_ proposal: Proposal, signer: SignaturePrivateKey) throws -> [UInt8] {
        let info = try clients[0].group.groupInfo(signer: clients[0].signer, inlineTree: false)
        return try Group.externalProposal(proposal, groupInfo: info, signer: signer, crypto: crypto, now: Self.now)
    }
}
