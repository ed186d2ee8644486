import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §5.3.1: the application decides who may replace a leaf.
struct CredentialRuleTests {
    @Test func nobodyTakesAnothersNameUnlessTheGroupAllowsIt() throws {
        var scene = try RuleScene()
        let name = Credential.basic(identity: Array("client 1".utf8))
        try scene.remember(try scene.forge(.update(try scene.leafNode(credential: name))))
        // A member that does not allow it leaves it out of a commit, and refuses one that has it.
        #expect(try scene.world.commit([], by: 0).changes.updated.map(\.index) == [LeafIndex(0)])
        scene.victim.configuration.allowsCredentialChange = true
        let staged = try scene.world.commit([], by: 0)
        #expect(staged.changes.updated.map(\.index) == [RuleScene.forger, LeafIndex(0)])
        expectError(.invalidLeafNode) { try scene.world.clients[2].group.process(staged.message, now: World.now) }
        scene.world.clients[2].group.configuration.allowsCredentialChange = true
        guard case .commit(let theirs) = try scene.world.clients[2].group.process(staged.message, now: World.now)
        else { throw MLSError(.malformed, "not a commit") }
        #expect(theirs.next?.member(at: RuleScene.forger)?.credential == name)
    }
}
