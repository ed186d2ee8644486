import MLS
import Testing

@testable import struct MLS.Group

/// What a group lets its owner do, and when.
struct GroupRuleTests {
    @Test func onlyOneOfTwoStagedCommitsIsMerged() throws {
        var world = try World(members: 2)
        let first = try world.commit([], by: 0)
        let second = try world.commit([.remove(LeafIndex(1))], by: 0)
        let before = world.clients[0].group.epochAuthenticator
        #expect(world.clients[0].group.epochAuthenticator == before)
        try world.clients[0].merge(first)
        expectError(.invalidState) { try world.clients[0].group.merge(second) }
        expectError(.invalidState) { try world.clients[0].group.merge(first) }
        #expect(world.clients[0].group.epoch == 2)
    }

    @Test func aCommitForAnotherBranchOfTheGroupIsNotMerged() throws {
        let world = try World(members: 2)
        var left = world.clients[0].group
        var right = world.clients[0].group
        try left.merge(try world.commit([], by: 0))
        try right.merge(try world.commit([], by: 0))
        let staged = try left.commit([], signer: world.clients[0].signer, now: nil, entropy: world.entropy)
        #expect(staged.baseEpoch == right.epoch)
        expectError(.invalidState) { try right.merge(staged) }
        try left.merge(staged)
    }

    @Test func messagesReadWhileACommitWasStagedStayConsumedAfterTheMerge() throws {
        var world = try World(members: 2)
        let message = try world.protect("once", by: 1)
        let late = try world.protect("late", by: 1)
        let staged = try world.commit([], by: 0)
        _ = try world.unprotect(message, by: 0)
        try world.clients[0].merge(staged)
        expectError(.generationReused) { try world.unprotect(message, by: 0) }
        #expect(try world.unprotect(late, by: 0).epoch == 1)
    }

    @Test func aRemovedMemberReadsItsLastEpochAndNothingElse() throws {
        var world = try World(members: 3)
        let late = try world.protect("before", by: 0)
        let staged = try world.commit([.remove(LeafIndex(2))], by: 0)
        guard case .commit(let theirs) = try world.clients[2].group.process(staged.message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        #expect(theirs.next == nil && theirs.changes.selfRemoved)
        #expect(theirs.changes.removed.map(\.index) == [LeafIndex(2)])
        try world.clients[2].merge(theirs)
        #expect(!world.clients[2].group.isActive && world.clients[2].group.ownMember == nil)
        #expect(try world.unprotect(late, by: 2).plaintext == Array("before".utf8))
        expectError(.removed) { try world.protect("x", by: 2) }
        expectError(.removed) { try world.commit([], by: 2) }
        expectError(.removed) { try world.clients[2].group.process(staged.message, now: World.now) }
        expectError(.removed) { try world.clients[2].group.export(label: "x", context: [], length: 1) }
        expectError(.removed) { try world.clients[2].group.groupInfo(signer: world.clients[2].signer) }
        // What could have moved the group on is not in the records either.
        let own = try #require(world.clients[1].group.current.own)
        let stored = world.clients[2].group.records().flatMap(\.value)
        #expect(!stored.contains(own.epoch.initSecret.unwipedCopy))
    }

    @Test func aStoredCommitKeepsItsConfigurationUnlessAnotherIsGiven() throws {
        let world = try World(members: 2)
        var author = world.clients[0].group
        author.configuration.sendsGREASE = true
        author.configuration.acceptsNewMemberProposals = true
        author.configuration.paddingBlock = 7
        let staged = try author.commit([], signer: world.clients[0].signer, now: nil, entropy: world.entropy)
        func restored(_ configuration: GroupConfiguration?) throws -> GroupConfiguration {
            let staged = try StagedCommit(
                serialized: staged.serialized(), crypto: world.crypto, configuration: configuration)
            return try #require(staged.next).configuration
        }
        let kept = try restored(nil)
        #expect(kept.sendsGREASE && kept.acceptsNewMemberProposals && kept.paddingBlock == 7)
        #expect(!kept.handshakeEncryption && !kept.allowsCredentialChange)
        var other = GroupConfiguration()
        other.handshakeEncryption = true
        let given = try restored(other)
        #expect(given.handshakeEncryption && !given.sendsGREASE && given.paddingBlock == 256)
    }

    @Test func aReInitEndsTheGroup() throws {
        var world = try World(members: 2)
        let reInit = ReInit(groupID: [1], cipherSuite: world.crypto.suite.identifier, extensions: [])
        let message = try world.clients[1].group.propose(
            .reInit(reInit), signer: world.clients[1].signer, now: World.now, entropy: world.entropy)
        guard case .proposal(let pending) = try world.clients[0].group.process(message, now: World.now) else {
            throw MLSError(.malformed, "not a proposal")
        }
        try world.clients[0].group.storeProposal(pending)
        let staged = try world.commit([], by: 0, forcePath: false)
        #expect(staged.changes.reInit == reInit)
        try world.deliver(staged, from: 0)
        for index in world.clients.indices {
            #expect(world.clients[index].group.reInit == reInit)
            expectError(.invalidState) { try world.protect("x", by: index) }
            expectError(.invalidState) { try world.commit([], by: index) }
        }
    }

    @Test func aCommitterLeavesOutProposalsThatDoNotFit() throws {
        var world = try World(members: 4)
        func propose(_ proposal: Proposal, by author: Int, now: UInt64? = World.now) throws {
            try receive(
                try world.clients[author].group.propose(
                    proposal, signer: world.clients[author].signer, now: now, entropy: world.entropy))
        }
        func receive(_ message: [UInt8]) throws {
            for index in world.clients.indices {
                guard
                    case .proposal(let pending)? = try? world.clients[index].group.process(message, now: World.now)
                else { continue }
                try world.clients[index].group.storeProposal(pending)
            }
        }
        try propose(.remove(LeafIndex(0)), by: 1)
        try propose(.remove(LeafIndex(3)), by: 1)
        try propose(.remove(LeafIndex(3)), by: 2)
        try propose(.remove(LeafIndex(9)), by: 2)
        try receive(
            try world.clients[3].group.proposeUpdate(signer: world.clients[3].signer, entropy: world.entropy))
        try receive(
            try world.clients[2].group.proposeUpdate(signer: world.clients[2].signer, entropy: world.entropy))
        let expired = try world.newBundle(lifetime: Lifetime(notBefore: 0, notAfter: 1)).bundle.keyPackage
        // A proposer whose clock is behind.
        try propose(.add(expired), by: 1, now: 1)
        let newcomer = try world.newBundle()
        try propose(.add(newcomer.bundle.keyPackage), by: 1)
        #expect(world.clients[0].group.pendingProposals.count == 8)

        let staged = try world.commit([], by: 0)
        #expect(staged.changes.removed.map(\.index) == [LeafIndex(3)])
        #expect(staged.changes.updated.map(\.index) == [LeafIndex(2), LeafIndex(0)])
        #expect(staged.changes.added.map(\.identity) == [Array(newcomer.name.utf8)])
        try world.deliver(staged, from: 0)
        try world.welcome([newcomer], staged)
        try world.expectAgreement()
        #expect(world.clients[0].group.pendingProposals.isEmpty)
    }

    @Test func ownMistakesAreErrorsOfTheCommitter() throws {
        var world = try World(members: 2)
        let leaf = try #require(world.clients[0].group.current.tree[LeafIndex(0)])
        let cases: [(Proposal, MLSError.Code)] = [
            (.remove(LeafIndex(0)), .invalidProposal), (.remove(LeafIndex(5)), .invalidProposal),
            (.update(leaf), .invalidProposal), (.externalInit(kemOutput: []), .invalidProposal),
            (.groupContextExtensions([Extension(ExtensionType(0xF00D), data: [])]), .invalidProposal),
        ]
        for (proposal, code) in cases {
            expectError(code, "\(proposal.type)") { try world.commit([proposal], by: 0) }
        }
        let stranger = try world.newIdentity().signer
        expectError(.invalidState) {
            try world.clients[0].group.protect([1], signer: stranger, entropy: world.entropy)
        }
        expectError(.tooLarge) {
            try world.clients[0].group.protect(
                [UInt8](repeating: 0, count: Limits.messageLength + 1), signer: world.clients[0].signer,
                entropy: world.entropy)
        }
        // What no one may commit is not proposed either.
        let nonce = [UInt8](repeating: 0, count: world.crypto.suite.hashLength)
        let suite = world.crypto.suite.identifier
        let useless: [Proposal] = [
            .preSharedKey(.init(source: .external(id: []), nonce: [])),
            .preSharedKey(.init(source: .resumption(.branch, groupID: [], epoch: 0), nonce: nonce)),
            .reInit(ReInit(groupID: [], version: ProtocolVersion(0), cipherSuite: suite, extensions: [])),
        ]
        for proposal in useless {
            expectError(.invalidProposal, "\(proposal.type)") {
                try world.clients[0].group.propose(
                    proposal, signer: world.clients[0].signer, now: World.now, entropy: world.entropy)
            }
        }
        expectError(.invalidProposal) {
            try world.clients[0].group.propose(
                .update(leaf), signer: world.clients[0].signer, now: World.now, entropy: world.entropy)
        }
    }

    @Test func requiredCapabilitiesAreRequiredOfAll() throws {
        let required = RequiredCapabilities(extensions: [ExtensionType(0xF00D)])
        let extensions = [Extension(.requiredCapabilities, data: required.encoded)]
        expectError(.invalidLeafNode) { try World(members: 1, extensions: extensions) }

        let lastResort = RequiredCapabilities(extensions: [.lastResort])
        var world = try World(
            members: 2, extensions: [Extension(.requiredCapabilities, data: lastResort.encoded)])
        let poor = try world.newBundle(capabilities: Capabilities(extensions: [])).bundle.keyPackage
        expectError(.invalidLeafNode) { try world.commit([.add(poor)], by: 0) }
        // Without the requirement, it may come.
        try world.deliver(try world.commit([.groupContextExtensions([])], by: 0), from: 0)
        #expect(world.clients[1].group.extensions.isEmpty)
        _ = try world.commit([.add(poor)], by: 0)
        expectError(.invalidProposal) {
            try world.commit([.groupContextExtensions(extensions)], by: 0)
        }
    }

    @Test func aLeafThatIsTooLargeDoesNotComeIn() throws {
        var world = try World(members: 2)
        world.clients[1].group.configuration.leafNodeLength = Limits.leafNodeLength
        for (count, author, isGood) in [
            (7_500, 0, true), (8_500, 0, false), (30_000, 1, true), (33_000, 1, false),
        ] {
            let types = (0..<count).map { ExtensionType(UInt16(0x1000 + $0)) }
            let keyPackage = try world.newBundle(capabilities: Capabilities(extensions: types)).bundle.keyPackage
            if isGood {
                _ = try world.commit([.add(keyPackage)], by: author)
            } else {
                expectError(.tooLarge) { try world.commit([.add(keyPackage)], by: author) }
            }
        }
    }

    @Test func aWelcomeIsForItsKeyPackageInItsTimeWithItsKeys() throws {
        var world = try World(members: 2)
        let newcomer = try world.newBundle()
        let psk = PreSharedKey(source: .external(id: [1]), secret: Secret([1]))
        let id = PreSharedKeyID(source: psk.source, nonce: world.entropy.bytes(world.crypto.suite.hashLength))
        let staged = try world.commit(
            [.add(newcomer.bundle.keyPackage), .preSharedKey(id)], by: 0, psks: [psk])
        let welcome = try #require(staged.welcome)
        let bundle = newcomer.bundle
        let other = try world.newBundle().bundle
        let crypto = world.crypto
        func join(_ bundles: [KeyPackageBundle], psks: [PreSharedKey], now: UInt64?) throws -> Group {
            try Group.join(welcome: welcome, bundles: bundles, psks: psks, crypto: crypto, now: now).group
        }
        expectError(.notForUs) { try join([], psks: [psk], now: World.now) }
        expectError(.notForUs) { try join([other], psks: [psk], now: World.now) }
        expectError(.expired) { try join([bundle], psks: [psk], now: World.now + 7200) }
        expectError(.unknownReference) { try join([bundle], psks: [], now: World.now) }
        expectError(.decryptionFailed) {
            try join([bundle], psks: [PreSharedKey(source: psk.source, secret: Secret([2]))], now: World.now)
        }
        try world.deliver(staged, from: 0, psks: [psk])
        #expect(
            try join([other, bundle], psks: [psk], now: World.now).epochAuthenticator
                == world.clients[0].group.epochAuthenticator)
    }

    @Test func theTreeMayComeAnotherWay() throws {
        var world = try World(members: 2)
        let newcomer = try world.newBundle()
        let crypto = world.crypto
        let staged = try world.clients[0].group.commit(
            [.add(newcomer.bundle.keyPackage)], inlineTree: false, signer: world.clients[0].signer, now: World.now,
            entropy: world.entropy)
        let welcome = try #require(staged.welcome)
        let oldTree = world.clients[0].group.current.tree.encoded
        try world.deliver(staged, from: 0)
        func join(_ tree: [UInt8]?) throws -> Group {
            try Group.join(
                welcome: welcome, bundles: [newcomer.bundle], ratchetTree: tree, crypto: crypto, now: World.now
            ).group
        }
        expectError(.invalidWelcome) { try join(nil) }
        expectError(.invalidTree) { try join(oldTree) }
        #expect(try join(world.clients[1].group.current.tree.encoded).members == world.clients[1].group.members)
    }

    @Test func theSummaryOfAMessageNeedsNoGroup() throws {
        var world = try World(members: 2)
        let staged = try world.commit([.add(try world.newBundle().bundle.keyPackage)], by: 0)
        let groupID = world.clients[0].group.groupID
        let commit = try MLSMessage.summary(of: staged.message)
        #expect(commit.wireFormat == .publicMessage && commit.contentType == .commit && commit.groupID == groupID)
        #expect(commit.epoch == 1 && commit.confirmationTag == staged.confirmationTag)
        #expect(commit.authenticatedData == [1, 2, 3])
        let info = try MLSMessage.summary(of: try #require(staged.groupInfo))
        #expect(info.wireFormat == .groupInfo && info.epoch == 2 && info.confirmationTag == staged.confirmationTag)
        let welcome = try MLSMessage.summary(of: try #require(staged.welcome))
        #expect(welcome.wireFormat == .welcome && welcome.groupID == nil && welcome.epoch == nil)
        let message = try MLSMessage.summary(of: try world.protect("x", by: 0))
        #expect(message.wireFormat == .privateMessage && message.contentType == .application && message.epoch == 1)
    }

    @Test func oneSeedGivesOneRun() throws {
        func run(_ seed: UInt64) throws -> ([[UInt8]], [[UInt8]]) {
            var world = try World(seed: seed, members: 3)
            let message = try world.protect("x", by: 1)
            _ = try world.unprotect(message, by: 0)
            let staged = try world.commit([], by: 0)
            return ([message, staged.message, staged.serialized()], world.clients[0].group.records().map(\.value))
        }
        #expect(try run(1) == run(1))
        #expect(try run(1) != run(2))
    }

    @Test func allMembersExportTheSame() throws {
        let world = try World(members: 2)
        func exported(_ index: Int, _ label: String, _ context: [UInt8]) throws -> Secret {
            try world.clients[index].group.export(label: label, context: context, length: 20)
        }
        #expect(try exported(0, "a", [1]) == exported(1, "a", [1]))
        #expect(try exported(0, "a", [1]) != exported(0, "b", [1]))
        #expect(try exported(0, "a", [1]) != exported(0, "a", [2]))
        for length in [-1, 255 * 32 + 1] {
            expectError(.tooLarge) { try world.clients[0].group.export(label: "a", context: [], length: length) }
        }
    }
}
