import Testing

@testable import MLS

/// The limits of a group, so that no member can make it unusable for the others.
struct GroupLimitTests {
    @Test func theExtensionsOfAGroupAreBoundedTogether() throws {
        let parts = [Extension(.applicationID, data: []), Extension(.externalSenders, data: [0])]
        func extensions(_ length: Int) -> [Extension] {
            [Extension(.applicationID, data: [UInt8](repeating: 0, count: length / 2)), parts[1]]
                + [Extension(.externalPub, data: [UInt8](repeating: 0, count: length - length / 2))]
        }
        var world = try World(members: 2, extensions: extensions(60_000))
        #expect(world.clients[1].group.extensions.count == 3)
        expectError(.tooLarge) { try World(members: 1, extensions: extensions(66_000)) }
        expectError(.tooLarge) { try world.commit([.groupContextExtensions(extensions(66_000))], by: 0) }
        let reInit = ReInit(groupID: [1], cipherSuite: world.crypto.suite.identifier, extensions: extensions(66_000))
        expectError(.tooLarge) { try world.commit([.reInit(reInit)], by: 0) }
        try world.deliver(try world.commit([.groupContextExtensions(extensions(65_000))], by: 0), from: 0)
        let path = try world.forge(
            .commit(Commit(proposals: [.proposal(.groupContextExtensions(extensions(66_000)))], path: nil)))
        expectError(.tooLarge) { try world.clients[0].group.process(path, now: World.now) }
    }

    @Test func extensionsThatTheEngineReadsMustBeReadable() throws {
        var world = try World(members: 2)
        for type in [ExtensionType.requiredCapabilities, .externalSenders] {
            let broken = [Extension(type, data: [0xFF])]
            expectError(.malformed) { try World(members: 1, extensions: broken) }
            expectError(.malformed) { try world.commit([.groupContextExtensions(broken)], by: 0) }
        }
        let message = try world.forge(
            .commit(
                Commit(
                    proposals: [.proposal(.groupContextExtensions([Extension(.externalSenders, data: [5])]))],
                    path: nil)))
        expectError(.malformed) { try world.clients[0].group.process(message, now: World.now) }
        world.clients.removeLast()
    }

    @Test func aTreeStaysSmallEnoughForAGroupInfo() throws {
        let crypto = try suite(1)
        let entropy = SeededEntropy(seed: 1)
        let certificate = [UInt8](repeating: 1, count: 60_000)
        let member = try TestMember(
            "large", crypto: crypto, entropy: entropy, capabilities: Capabilities(credentials: [.x509]),
            credential: .x509(chain: [certificate]))
        var tree = RatchetTree()
        let fitting = Limits.treeLength / member.leaf.encoded.count
        for _ in 0..<fitting { _ = try tree.addLeaf(member.leaf) }
        try tree.checkLength()
        _ = try tree.addLeaf(member.leaf)
        expectError(.tooLarge) { try tree.checkLength() }
        try tree.removeLeaf(LeafIndex(3))
        try tree.checkLength()
    }

    @Test func lengthsAreKnownWithoutEncoding() throws {
        let crypto = try suite(2)
        let entropy = SeededEntropy(seed: 2)
        let credentials: [Credential] = [
            .basic(identity: []), .basic(identity: [UInt8](repeating: 1, count: 64)),
            .x509(chain: [[1], [UInt8](repeating: 2, count: 20_000)]),
            .other(type: CredentialType(0x0A0A), content: [1, 2]),
        ]
        var tree = try TestTree(members: 5, crypto: crypto)
        _ = try tree.commit(from: LeafIndex(1))
        for (number, credential) in credentials.enumerated() {
            let capabilities = Capabilities(extensions: (0..<UInt16(number * 30)).map { ExtensionType($0) })
            try tree.add(
                TestMember(
                    "\(number)", crypto: crypto, entropy: entropy, capabilities: capabilities.greased(from: entropy),
                    credential: credential))
        }
        var kinds = 0
        for value in 0..<tree.tree.size.nodeCount {
            guard let node = tree.tree[NodeIndex(value)] else { continue }
            kinds += 1
            #expect(node.encodedLength == node.encoded.count + 1)
        }
        #expect(kinds > 10 && !(tree.tree.parentNode(NodeIndex(7))?.unmergedLeaves.isEmpty ?? true))
    }

    @Test func aTreeIsAsWideAsItsLastMemberNeeds() throws {
        let crypto = try suite(1)
        let entropy = SeededEntropy(seed: 3)
        let leaf = try TestMember("a", crypto: crypto, entropy: entropy).leaf
        for _ in 0..<20 {
            var tree = RatchetTree()
            var present: Set<UInt32> = []
            for _ in 0..<120 {
                if present.isEmpty || entropy.below(5) < 3 {
                    present.insert(try tree.addLeaf(leaf).value)
                } else if let victim = present.sorted().dropFirst(entropy.below(present.count)).first {
                    try tree.removeLeaf(LeafIndex(victim))
                    present.remove(victim)
                }
                #expect(tree.leafCount == TreeSize(leaves: present.max().map { $0 + 1 } ?? 0).leafCount)
                #expect(Set(tree.members.map { $0.0.value }) == present)
            }
        }
    }

    @Test func noHandshakeKeySealsTwice() throws {
        var world = try World(members: 2)
        world.clients[0].group.configuration.handshakeEncryption = true
        let signer = world.clients[0].signer
        func commit() throws -> StagedCommit {
            try world.clients[0].group.commit([], signer: signer, now: World.now, entropy: world.entropy)
        }
        let first = try commit()
        // Staging uses up the key, also across a restart.
        try world.clients[0].store()
        let proposal = try world.clients[0].group.proposeUpdate(signer: signer, entropy: world.entropy)
        try world.clients[0].store()
        let second = try commit()
        // The same proposal twice is one proposal, but two messages.
        var twice: [[UInt8]] = []
        for _ in 0..<2 {
            twice.append(
                try world.clients[0].group.propose(
                    .remove(LeafIndex(1)), signer: signer, now: World.now, entropy: world.entropy))
            try world.clients[0].store()
        }
        #expect(world.clients[0].group.pendingProposals.count == 2)
        let messages = [first.message, proposal, second.message] + twice
        #expect(try messages.map { try world.generation(of: $0) } == [0, 1, 2, 3, 4])
        // All of them can be read, whatever comes first.
        for message in messages.reversed() {
            let incoming = try world.clients[1].group.process(message, now: World.now)
            if case .proposal(let pending) = incoming { try world.clients[1].group.storeProposal(pending) }
        }
        try world.deliver(second, from: 0)
        try world.expectAgreement()
        // In the clear, no key is used up.
        world.clients[0].group.configuration.handshakeEncryption = false
        let before = world.clients[0].group.records().map(\.value)
        _ = try commit()
        #expect(world.clients[0].group.records().map(\.value) == before)
    }

    @Test func whoCommitsLeavesOutWhatWouldChangeItself() throws {
        var world = try World(members: 3)
        let update = try world.clients[0].group.proposeUpdate(signer: world.clients[0].signer, entropy: world.entropy)
        try world.deliverProposal(update, from: 0)
        try world.propose(.remove(LeafIndex(0)), by: 1)
        let update2 = try world.clients[2].group.proposeUpdate(signer: world.clients[2].signer, entropy: world.entropy)
        try world.deliverProposal(update2, from: 2)
        let staged = try world.commit([], by: 0)
        #expect(staged.changes.removed.isEmpty && staged.changes.updated.map(\.index) == [LeafIndex(2), LeafIndex(0)])
        try world.deliver(staged, from: 0)
        try world.expectAgreement()
    }

    @Test func aReInitWaitsForOtherProposals() throws {
        var world = try World(members: 2)
        let reInit = ReInit(groupID: [7], cipherSuite: world.crypto.suite.identifier, extensions: [])
        try world.propose(.reInit(reInit), by: 1)
        try world.propose(.groupContextExtensions([]), by: 1)
        let staged = try world.commit([], by: 0)
        #expect(staged.changes.reInit == nil && staged.changes.extensions == [])
        // By value it wins, as its maker wants nothing else.
        #expect(try world.commit([.reInit(reInit)], by: 0).changes.reInit == reInit)
    }

    @Test func aLeafThatDoesNotSpeakTheProtocolStaysOut() throws {
        var world = try World(members: 1)
        let capabilities = Capabilities(versions: [ProtocolVersion(2)])
        let keyPackage = try world.newBundle(capabilities: capabilities).bundle.keyPackage
        expectError(.invalidLeafNode) { try world.commit([.add(keyPackage)], by: 0) }
    }

    @Test func aKeyPackageIsOfTheVersionOfItsMessage() throws {
        var world = try World(members: 1)
        var message = MLSMessage.keyPackage(try world.newBundle().bundle.keyPackage).encoded
        #expect(throws: Never.self) { try MLSMessage(decoding: message) }
        message[5] = 2
        expectError(.unsupported) { try MLSMessage(decoding: message) }
    }
}

extension World {
    /// The generation of the key with which a handshake message of the first client was sealed.
    fileprivate func generation(of message: [UInt8]) throws -> UInt32 {
        guard case .privateMessage(let sealed) = try MLSMessage(decoding: message) else {
            throw MLSError(.malformed, "not a PrivateMessage")
        }
        let senderData = clients[1].group.current.messageKeys.senderData
        return try sealed.openSenderData(senderDataSecret: senderData, crypto: crypto).generation
    }
}
