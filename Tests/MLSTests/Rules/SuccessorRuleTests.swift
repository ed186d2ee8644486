import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §11.2 and §11.3: what a founder cannot begin, and what a malicious one cannot pass off as a branch.
struct SuccessorRuleTests {
    @Test func aReInitToAVersionThatIsNotOfferedIsNotFollowed() throws {
        var scene = try RuleScene()
        let reInit = ReInit(
            groupID: [1], version: ProtocolVersion(2), cipherSuite: scene.crypto.suite.identifier, extensions: [])
        try scene.world.deliver(try scene.world.commit([.reInit(reInit)], by: 2), from: 2)
        let client = scene.world.clients[0]
        #expect(client.group.reInit == reInit)
        expectError(.unsupported) {
            try client.group.reinitialize(
                with: [], credential: .basic(identity: Array(client.name.utf8)), signer: client.signer,
                lifetime: World.lifetime, crypto: scene.crypto, now: World.now, entropy: scene.entropy)
        }
    }

    @Test(arguments: [(1, nil), (3, .invalidWelcome)] as [(UInt16, MLSError.Code?)])
    func aBranchIsOfTheOldGroupsSuite(number: UInt16, code: MLSError.Code?) throws {
        let scene = try RuleScene()
        let crypto = try suite(number)
        let (victim, forger) = (scene.world.clients[0], scene.world.clients[1])
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(victim.name.utf8)),
            signer: crypto.generateSignatureKey(scene.entropy), lifetime: World.lifetime, entropy: scene.entropy)
        let signer = try crypto.generateSignatureKey(scene.entropy)
        var group = try Group.create(
            groupID: [5], crypto: crypto, credential: .basic(identity: Array(forger.name.utf8)), signer: signer,
            lifetime: World.lifetime, entropy: scene.entropy)
        let tie = PreSharedKey(
            source: .resumption(.branch, groupID: forger.group.groupID, epoch: forger.group.epoch),
            secret: try forger.group.ownSecrets().epoch.resumption)
        let id = PreSharedKeyID(source: tie.source, suite: crypto.suite, entropy: scene.entropy)
        let request = CommitRequest(
            proposals: [.add(bundle.keyPackage), .preSharedKey(id)], includePending: false, forcePath: true,
            authenticatedData: [], inlineTree: true, psks: [tie], now: World.now, founding: .branch)
        let welcome = try #require(
            try group.commit(request, signer: signer, entropy: scene.entropy).welcome)
        func join() throws -> Group {
            try Group.join(
                welcome: welcome, bundles: [bundle], predecessor: victim.group, crypto: crypto, now: World.now
            ).group
        }
        if let code { expectError(code) { try join() } } else { #expect(try join().epoch == 1) }
    }
}
