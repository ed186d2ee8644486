import Testing

@testable import MLS

/// Values that mean nothing are sent on request and do no harm anywhere (RFC 9420 §13.5).
struct GREASETests {
    private static let reserved = Set(GREASE.values)

    @Test func theValuesAreThoseOfTheRegistries() {
        #expect(GREASE.values.count == 15)
        #expect(GREASE.values.first == 0x0A0A && GREASE.values.last == 0xEAEA)
    }

    @Test(arguments: allSuites)
    func aGroupFullOfThemLivesAsAnyOther(number: UInt16) throws {
        var world = try World(suite: number, members: 1, sendsGREASE: true)
        for count in 1...3 {
            let (name, signer) = try world.newIdentity()
            let bundle = try KeyPackageBundle.generate(
                crypto: world.crypto, identity: .basic(identity: Array(name.utf8)), signer: signer,
                lifetime: World.lifetime, lastResort: count == 1, sendsGREASE: true, entropy: world.entropy)
            try bundle.keyPackage.validate(crypto: world.crypto, now: World.now)
            #expect(bundle.keyPackage.extensions.contains { Self.reserved.contains($0.type.rawValue) })
            #expect(
                bundle.keyPackage.extensions.allSatisfy { bundle.keyPackage.leafNode.capabilities.supports($0.type) })
            let staged = try world.commit([.add(bundle.keyPackage)], by: 0)
            try world.deliver(staged, from: 0)
            try world.welcome([(name, signer, bundle)], staged)
        }
        let info = try world.clients[0].group.groupInfo(
            signer: world.clients[0].signer, extensions: [.grease(from: world.entropy)])
        let (name, signer) = try world.newIdentity()
        var configuration = GroupConfiguration()
        configuration.sendsGREASE = true
        let external = try Group.externalCommit(
            groupInfo: info, credential: .basic(identity: Array(name.utf8)), signer: signer, crypto: world.crypto,
            configuration: configuration, entropy: world.entropy)
        try world.deliver(external, from: nil)
        world.clients.append(try Client(name: name, signer: signer, group: try #require(external.next)))
        try world.deliver(try world.commit([], by: 2), from: 2)
        try world.expectAgreement()
        for (_, leaf) in world.clients[0].group.current.tree.members {
            let capabilities = leaf.capabilities
            for list in [
                capabilities.cipherSuites.map(\.rawValue), capabilities.extensions.map(\.rawValue),
                capabilities.proposals.map(\.rawValue), capabilities.credentials.map(\.rawValue),
                leaf.extensions.map(\.type.rawValue),
            ] {
                #expect(!Self.reserved.isDisjoint(with: list))
            }
        }
    }

    @Test func groupInfosCarryThem() throws {
        var world = try World(members: 1, sendsGREASE: true)
        let staged = try world.commit([.add(try world.newBundle().bundle.keyPackage)], by: 0)
        guard case .groupInfo(let info) = try MLSMessage(decoding: try #require(staged.groupInfo)) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        #expect(info.extensions.contains { Self.reserved.contains($0.type.rawValue) })
        #expect(!info.context.extensions.contains { Self.reserved.contains($0.type.rawValue) })
    }

    @Test func aGroupInfoThatIsAskedForCarriesThemToo() throws {
        let world = try World(members: 1, sendsGREASE: true)
        func types(_ entropy: SeededEntropy?) throws -> [UInt16] {
            let bytes = try world.clients[0].group.groupInfo(signer: world.clients[0].signer, entropy: entropy)
            guard case .groupInfo(let info) = try MLSMessage(decoding: bytes) else {
                throw MLSError(.malformed, "not a GroupInfo")
            }
            return info.extensions.map(\.type.rawValue)
        }
        #expect(try !Self.reserved.isDisjoint(with: types(world.entropy)))
        #expect(try Self.reserved.isDisjoint(with: types(nil)))
    }

    /// Values that mean nothing are sent along with a client's own capabilities, but are not among them, whether it
    /// joins, founds or commits.
    @Test func whatIsSentToOthersIsNotSupported() throws {
        let types = Self.reserved.sorted().map { ExtensionType($0) }
        let everything = Capabilities(extensions: [.lastResort] + types)
        let extensions = [Extension(types[4], data: [])]
        let crypto = try suite(1)
        let entropy = SeededEntropy(seed: 5)
        let signer = try crypto.generateSignatureKey(entropy)
        func found(_ extensions: [Extension]) throws -> Group {
            try Group.create(
                groupID: [1], crypto: crypto, credential: .basic(identity: [1]), signer: signer,
                extensions: extensions, lifetime: World.lifetime, capabilities: everything, entropy: entropy)
        }
        expectError(.invalidLeafNode, "a founder") { try found(extensions) }
        var group = try found([])
        expectError(.invalidProposal, "a committer") {
            try group.commit([.groupContextExtensions(extensions)], signer: signer, now: nil, entropy: entropy)
        }

        // A group that someone else has made of such members.
        let newcomer = try crypto.generateSignatureKey(entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: [2]), signer: newcomer, lifetime: World.lifetime,
            capabilities: everything, entropy: entropy)
        let other = try group.commit(
            [.add(bundle.keyPackage)], signer: signer, now: nil, entropy: entropy)
        var member = try Group.join(
            welcome: try #require(other.welcome), bundles: [bundle], crypto: crypto, now: nil
        ).group
        try group.merge(other)
        let own = try group.ownSecrets()
        var context = group.current.context
        context.extensions = extensions
        let hostile = EpochTransition(
            joinerSecret: entropy.secret(32), memberSecret: entropy.secret(32), context: context, crypto: crypto
        ).state(tree: group.current.tree, privateTree: own.privateTree, crypto: crypto)
        let info = try Group(configuration: .init(), crypto: crypto, current: hostile).groupInfo(signer: signer)
        expectError(.invalidLeafNode, "a joiner by commit") {
            try Group.externalCommit(
                groupInfo: info, credential: .basic(identity: [3]), signer: crypto.generateSignatureKey(entropy),
                capabilities: everything, crypto: crypto, entropy: entropy)
        }
        // A commit that sets them, by someone who counts such values among its own.
        let forged = try group.forgedCommit([.groupContextExtensions(extensions)], signer: signer, entropy: entropy)
        expectError(.invalidProposal, "a reader") { try member.process(forged, now: nil) }
        member.forgetMessages()
    }

    @Test func oneSeedGivesTheSameValues() throws {
        func extensions(_ seed: UInt64) throws -> [UInt8] {
            let crypto = try suite(1)
            let entropy = SeededEntropy(seed: seed)
            let signer = try crypto.generateSignatureKey(entropy)
            return try KeyPackageBundle.generate(
                crypto: crypto, identity: .basic(identity: [1]), signer: signer, lifetime: World.lifetime,
                sendsGREASE: true, entropy: entropy
            ).keyPackage.encoded
        }
        #expect(try extensions(1) == extensions(1))
        #expect(try extensions(1) != extensions(2))
    }

    @Test func whereTheyMustNotStandTheyAreRefusedAsUnknown() throws {
        let world = try World(members: 2)
        let value = GREASE.values[3]
        expectError(.invalidProposal) {
            try world.commit([.groupContextExtensions([Extension(ExtensionType(value), data: [])])], by: 0)
        }
        expectError(.unsupported, "a proposal type") {
            try Proposal(decoding: [UInt8(value >> 8), UInt8(value & 0xFF), 0])
        }
        expectError(.unsupported, "a wire format") {
            try MLSMessage(decoding: [0, 1, UInt8(value >> 8), UInt8(value & 0xFF), 0])
        }
        let credential = Credential.other(type: CredentialType(value), content: [1])
        let signer = try world.crypto.generateSignatureKey(world.entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: world.crypto, identity: credential, signer: signer, lifetime: World.lifetime,
            entropy: world.entropy)
        expectError(.invalidLeafNode, "a credential type") { try world.commit([.add(bundle.keyPackage)], by: 0) }
    }

    @Test func aReaderPassesOverExtensionsThatAKeyPackageDoesNotDeclare() throws {
        var world = try World(members: 1)
        let (_, signer, bundle) = try world.newBundle()
        let undeclared = try KeyPackage(
            initKey: bundle.keyPackage.initKey, leafNode: bundle.keyPackage.leafNode,
            extensions: [Extension(ExtensionType(0xF00D), data: [1])], signer: signer, crypto: world.crypto)
        #expect(try world.commit([.add(undeclared)], by: 0).changes.added.count == 1)
    }

    @Test func aMakerDeclaresItsExtensions() throws {
        let crypto = try suite(1)
        let entropy = SeededEntropy(seed: 1)
        let signer = try crypto.generateSignatureKey(entropy)
        let mine = Extension(ExtensionType(0xF00D), data: [1])
        func bundle(_ leaf: [Extension], _ own: [Extension], _ capabilities: Capabilities) throws -> KeyPackage {
            try KeyPackageBundle.generate(
                crypto: crypto, identity: .basic(identity: [1]), signer: signer, lifetime: World.lifetime,
                capabilities: capabilities, leafExtensions: leaf, extensions: own, entropy: entropy
            ).keyPackage
        }
        expectError(.invalidKeyPackage) { try bundle([mine], [], Capabilities()) }
        expectError(.invalidKeyPackage) { try bundle([], [mine], Capabilities()) }
        let able = Capabilities(extensions: [mine.type])
        expectError(.malformed) { try bundle([], [mine, mine], able) }
        let keyPackage = try bundle([mine], [mine], able)
        try keyPackage.validate(crypto: crypto, now: nil)
        #expect(keyPackage.leafNode.extensions == [mine] && keyPackage.extensions == [mine])
    }
}

extension Group {
    /// A commit that no rule has stopped.
    fileprivate func forgedCommit(
        _ proposals: [Proposal], signer: SignaturePrivateKey, entropy: any EntropySource
    ) throws -> [UInt8] {
        let list = try ProposalList(
            proposals.map { .init(proposal: $0, sender: .member(ownLeaf), updateKey: nil) }, committer: ownLeaf,
            crypto: crypto)
        var applied = try AppliedProposals(
            list, to: current.tree, context: current.context, crypto: crypto, now: nil)
        let draft = CommitDraft(
            listed: proposals.map { .proposal($0) }, baseContext: current.context,
            baseTranscript: current.interimTranscriptHash, sender: .member(ownLeaf), authenticatedData: [],
            crypto: crypto, entropy: entropy)
        let leaf = try #require(current.tree[ownLeaf])
        let path = try draft.makePath(in: &applied, from: ownLeaf, profile: leaf.profile, signer: signer)
        let own = try ownSecrets()
        let finished = try draft.finish(
            applied, path: path, privateTree: own.privateTree, initSecret: own.epoch.initSecret, psks: [],
            as: .publicMessage, signer: signer)
        return try protectHandshake(finished.commit, entropy: entropy).message.encoded
    }
}
