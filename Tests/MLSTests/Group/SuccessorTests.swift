import Testing

@testable import MLS

/// Groups that continue another one: ReInit and branches (RFC 9420 §11.2, §11.3).
struct SuccessorTests {
    @Test(arguments: [(1, 1), (1, 2), (3, 6), (7, 4)] as [(UInt16, UInt16)])
    func allMembersGoOnInTheGroupThatAReInitNames(from old: UInt16, to new: UInt16) throws {
        var world = try World(suite: old, members: 3)
        let crypto = try suite(new)
        let extensions = [Extension.requiredCapabilities(.init(extensions: [.lastResort]))]
        let reInit = ReInit(groupID: [7], cipherSuite: crypto.suite.identifier, extensions: extensions)
        try world.propose(.reInit(reInit), by: 2)
        let staged = try world.commit([], by: 0, forcePath: false)
        try world.deliver(staged, from: 0)
        #expect(world.clients.allSatisfy { $0.group.reInit == reInit })

        // Another member than the committer may begin the new group.
        let newcomers = try world.newKeys(crypto: crypto)
        let founded = try world.reinitialize(by: 1, newcomers, crypto: crypto)
        let welcome = try #require(founded.welcome)
        var successor = world
        successor.clients = [try Client(name: newcomers[1].name, signer: newcomers[1].signer, group: founded.group)]
        for index in [0, 2] {
            let joined = try Group.join(
                welcome: welcome, bundles: [newcomers[index].bundle], predecessor: world.clients[index].group,
                crypto: crypto, now: World.now)
            successor.clients.append(
                try Client(name: newcomers[index].name, signer: newcomers[index].signer, group: joined.group))
        }
        try successor.expectAgreement()
        let group = successor.clients[0].group
        #expect(
            group.epoch == 1 && group.groupID == [7] && group.suite == crypto.suite && group.extensions == extensions)
        // It is a group like any other.
        let next = try successor.clients[2].group.commit(
            [], signer: successor.clients[2].signer, now: World.now, entropy: world.entropy)
        guard case .commit(let theirs) = try successor.clients[0].group.process(next.message, now: World.now) else {
            throw MLSError(.malformed, "not a commit")
        }
        #expect(theirs.confirmationTag == next.confirmationTag)
    }

    @Test func anEndedGroupTakesNothingMore() throws {
        var world = try World(members: 2)
        let reInit = ReInit(groupID: [7], cipherSuite: world.crypto.suite.identifier, extensions: [])
        let straggler = world.clients[1]
        try world.deliver(try world.commit([.reInit(reInit)], by: 0, forcePath: false), from: 0)
        var other = straggler.group
        let rival = try other.commit([], signer: straggler.signer, now: World.now, entropy: world.entropy)
        try other.merge(rival)
        let late = try other.commit([], signer: straggler.signer, now: World.now, entropy: world.entropy)
        expectError(.invalidState) { try world.clients[0].group.process(late.message, now: World.now) }
        expectError(.invalidState) {
            try world.clients[0].group.proposeUpdate(signer: world.clients[0].signer, entropy: world.entropy)
        }
    }

    @Test func aWelcomeAfterAReInitMustFitTheReInit() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let before = world.clients[2].group
        let reInit = ReInit(groupID: [7], cipherSuite: crypto.suite.identifier, extensions: [])
        try world.deliver(try world.commit([.reInit(reInit)], by: 0), from: 0)
        let newcomers = try world.newKeys(crypto: crypto)
        let joiner = newcomers[2].bundle
        func join(_ welcome: [UInt8]?, from group: Group?) throws -> Group {
            try Group.join(
                welcome: try #require(welcome), bundles: [joiner], predecessor: group, crypto: crypto, now: World.now
            ).group
        }
        let good = try world.reinitialize(by: 0, newcomers, crypto: crypto).welcome
        let ended = world.clients[2].group
        #expect(try join(good, from: ended).groupID == [7])
        expectError(.unknownReference, "no predecessor") { try join(good, from: nil) }
        expectError(.unknownReference, "another predecessor") {
            try join(good, from: World(seed: 3, members: 1, groupID: [9]).clients[0].group)
        }
        expectError(.invalidWelcome, "a group that no ReInit has ended") { try join(good, from: before) }

        // What a malicious founder might try. It has the secrets, so only the rules can stop it.
        func forged(_ change: (inout Founding) -> Void) throws -> [UInt8]? {
            var founding = Founding(
                tie: try PreSharedKey(
                    source: .resumption(.reinit, groupID: ended.groupID, epoch: ended.epoch),
                    secret: ended.resumptionPSK().secret),
                groupID: [7], extensions: [], keyPackages: newcomers.dropFirst().map(\.bundle.keyPackage))
            change(&founding)
            return try founding.welcome(newcomers[0], crypto: crypto, entropy: world.entropy)
        }
        let stranger = try world.newBundle().bundle.keyPackage
        #expect(try join(forged { _ in }, from: ended).epoch == 1)
        expectError(.invalidWelcome, "another group id") { try join(forged { $0.groupID = [8] }, from: ended) }
        expectError(.invalidWelcome, "other extensions") {
            try join(forged { $0.extensions = [.requiredCapabilities(.init())] }, from: ended)
        }
        expectError(.invalidWelcome, "a later epoch") { try join(forged { $0.emptyCommits = 1 }, from: ended) }
        expectError(.invalidWelcome, "somebody is missing") {
            try join(forged { $0.keyPackages.removeFirst() }, from: ended)
        }
        expectError(.invalidWelcome, "somebody is new") {
            try join(forged { $0.keyPackages.append(stranger) }, from: ended)
        }
        expectError(.invalidWelcome, "two ties") { try join(forged { $0.ties = 2 }, from: ended) }
        expectError(.invalidWelcome, "no tie") { try join(forged { $0.ties = 0 }, from: ended) }
        expectError(.decryptionFailed, "another secret") {
            try join(
                forged { $0.tie = PreSharedKey(source: $0.tie.source, secret: Secret([1])) }, from: ended)
        }
        expectError(.invalidWelcome, "an epoch before the ReInit") {
            try join(
                forged {
                    $0.tie = PreSharedKey(
                        source: .resumption(.reinit, groupID: ended.groupID, epoch: ended.epoch - 1),
                        secret: Secret([1]))
                }, from: ended)
        }
    }

    @Test func membersAreOfTheEpochThatIsNamedOrOfNone() throws {
        var world = try World(members: 3)
        world.clients[0].group.configuration.pastEpochs = 1
        for _ in 0..<2 { try world.deliver(try world.commit([], by: 1), from: 1) }
        try world.deliver(try world.commit([.remove(LeafIndex(2))], by: 1), from: 1)
        let group = world.clients[0].group
        #expect(try group.members(inEpoch: group.epoch).count == 2)
        #expect(try group.members(inEpoch: group.epoch - 1).count == 3)
        expectError(.epochTooOld) { try group.members(inEpoch: group.epoch - 2) }
        expectError(.epochNotReached) { try group.members(inEpoch: group.epoch + 1) }
    }

    @Test func aFounderFollowsTheReInit() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let newcomers = try world.newKeys(crypto: crypto)
        expectError(.invalidState, "not ended") { try world.reinitialize(by: 0, newcomers, crypto: crypto) }
        let reInit = ReInit(groupID: [7], cipherSuite: crypto.suite.identifier, extensions: [])
        try world.deliver(try world.commit([.reInit(reInit)], by: 0), from: 0)
        expectError(.invalidKeyPackage, "somebody is missing") {
            try world.reinitialize(by: 0, Array(newcomers.dropLast()), crypto: crypto)
        }
        expectError(.invalidState, "another suite") { try world.reinitialize(by: 0, newcomers, crypto: suite(3)) }
        #expect(try world.reinitialize(by: 0, newcomers, crypto: crypto).group.epoch == 1)
    }

    @Test func whoFollowsKnowsTheSecretsOfTheOldGroup() throws {
        var world = try World(members: 2)
        let reInit = ReInit(groupID: [7], cipherSuite: world.crypto.suite.identifier, extensions: [])
        try world.deliver(try world.commit([.reInit(reInit)], by: 0), from: 0)
        let newcomers = try world.newKeys(crypto: world.crypto)
        let founded = try world.clients[0].group.reinitialize(
            with: [newcomers[1].bundle.keyPackage], credential: .basic(identity: Array("client 1".utf8)),
            signer: newcomers[0].signer, lifetime: World.lifetime,
            psks: [try world.clients[0].group.resumptionPSK(epoch: 1)], crypto: world.crypto, now: World.now,
            entropy: world.entropy)
        let joined = try Group.join(
            welcome: try #require(founded.welcome), bundles: [newcomers[1].bundle],
            predecessor: world.clients[1].group, crypto: world.crypto, now: World.now
        ).group
        #expect(joined.epochAuthenticator == founded.group.epochAuthenticator)
    }

    @Test func aLonelyMemberGoesOnByItself() throws {
        var world = try World(members: 1)
        let reInit = ReInit(
            groupID: [7], cipherSuite: CipherSuite.p256_aes128gcm_sha256_p256.identifier, extensions: [])
        try world.deliver(try world.commit([.reInit(reInit)], by: 0), from: 0)
        let founded = try world.reinitialize(by: 0, try world.newKeys(crypto: suite(2)), crypto: suite(2))
        #expect(founded.welcome == nil && founded.group.epoch == 1 && founded.group.suite.rawValue == 2)
    }

    @Test(arguments: allSuites)
    func someMembersBranchOff(number: UInt16) throws {
        var world = try World(suite: number, members: 4)
        let newcomers = try world.newKeys(crypto: world.crypto)
        let branch = try world.clients[1].group.branch(
            groupID: [5], with: [newcomers[3].bundle.keyPackage], signer: newcomers[1].signer, extensions: [],
            lifetime: World.lifetime, now: World.now, entropy: world.entropy)
        // The old group may have moved on, as long as its window reaches back.
        try world.deliver(try world.commit([.remove(LeafIndex(2))], by: 0), from: 0)
        let welcome = try #require(branch.welcome)
        let joined = try Group.join(
            welcome: welcome, bundles: [newcomers[3].bundle], predecessor: world.clients[2].group,
            crypto: world.crypto, now: World.now
        ).group
        #expect(joined.epochAuthenticator == branch.group.epochAuthenticator && joined.epoch == 1)
        #expect(Set(joined.members.map(\.identity)) == Set([1, 3].map { Array(newcomers[$0].name.utf8) }))
        try world.deliver(try world.commit([], by: 0), from: 0)
    }

    @Test func nobodyComesIntoABranchFromOutside() throws {
        var world = try World(members: 3)
        let crypto = world.crypto
        let newcomers = try world.newKeys(crypto: crypto)
        let stranger = try world.newBundle()
        let group = world.clients[2].group
        expectError(.invalidKeyPackage) { [world] in
            try world.clients[0].group.branch(
                groupID: [5], with: [stranger.bundle.keyPackage], signer: newcomers[0].signer,
                lifetime: World.lifetime, now: World.now, entropy: world.entropy)
        }
        expectError(.invalidState) { [world] in
            try world.clients[0].group.branch(
                groupID: group.groupID, with: [], signer: newcomers[0].signer, lifetime: World.lifetime,
                now: World.now, entropy: world.entropy)
        }
        func join(_ keyPackages: [KeyPackage], groupID: [UInt8] = [5], epochs: Int = 0) throws -> Group {
            let founding = Founding(
                tie: PreSharedKey(
                    source: .resumption(.branch, groupID: group.groupID, epoch: group.epoch),
                    secret: try group.resumptionPSK().secret),
                groupID: groupID, extensions: [], keyPackages: keyPackages, emptyCommits: epochs)
            let welcome = try founding.welcome(newcomers[0], crypto: crypto, entropy: world.entropy)
            return try Group.join(
                welcome: try #require(welcome), bundles: [newcomers[2].bundle], predecessor: group, crypto: crypto,
                now: World.now
            ).group
        }
        let own = newcomers[2].bundle.keyPackage
        #expect(try join([own]).epoch == 1)
        expectError(.invalidWelcome) { try join([own, stranger.bundle.keyPackage]) }
        expectError(.invalidWelcome) { try join([own], epochs: 2) }
        expectError(.invalidWelcome) { try join([own], groupID: group.groupID) }
    }
}

private typealias Newcomer = (name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle)

extension World {
    /// A key package of each client, with a new signature key.
    fileprivate func newKeys(crypto: any SuiteCrypto) throws -> [Newcomer] {
        try clients.map { client in
            let signer = try crypto.generateSignatureKey(entropy)
            return (
                client.name, signer,
                try KeyPackageBundle.generate(
                    crypto: crypto, identity: .basic(identity: Array(client.name.utf8)), signer: signer,
                    lifetime: Self.lifetime, entropy: entropy)
            )
        }
    }

    fileprivate func reinitialize(
        by founder: Int, _ newcomers: [Newcomer], crypto: any SuiteCrypto
    ) throws -> (group: Group, welcome: [UInt8]?) {
        let others = newcomers.enumerated().filter { $0.offset != founder }
        return try clients[founder].group.reinitialize(
            with: others.map(\.element.bundle.keyPackage),
            credential: .basic(identity: Array(newcomers[founder].name.utf8)), signer: newcomers[founder].signer,
            lifetime: Self.lifetime, crypto: crypto, now: Self.now, entropy: entropy)
    }
}

/// The beginning of a group that claims to continue another one, whether it does or not.
private struct Founding {
    var tie: PreSharedKey
    var groupID: [UInt8]
    var extensions: [Extension]
    var keyPackages: [KeyPackage]
    var emptyCommits = 0
    var ties = 1

    func welcome(
        _ founder: Newcomer, crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws -> [UInt8]? {
        var group = try Group.create(
            groupID: groupID, crypto: crypto, credential: .basic(identity: Array(founder.name.utf8)),
            signer: founder.signer, extensions: extensions, lifetime: World.lifetime, entropy: entropy)
        for _ in 0..<emptyCommits {
            try group.merge(try group.commit([], signer: founder.signer, now: World.now, entropy: entropy))
        }
        guard case .resumption(let usage, _, _) = tie.source else { throw MLSError(.invalidState, "not a tie") }
        let ids = (0..<ties).map { _ in
            Proposal.preSharedKey(.init(source: tie.source, suite: crypto.suite, entropy: entropy))
        }
        let request = CommitRequest(
            proposals: keyPackages.map { .add($0) } + ids, includePending: false, forcePath: true,
            authenticatedData: [], inlineTree: true, psks: [tie], now: World.now, founding: usage)
        return try group.commit(request, signer: founder.signer, entropy: entropy).welcome
    }
}
