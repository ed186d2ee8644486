import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.2 (second list) and §12.4.3.2: commits by which someone joins.
struct ExternalCommitRuleTests {
    private static func list(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ change: @escaping @Sendable (RuleScene, Proposal) throws -> [Proposal]
    ) -> Rule {
        Rule(section, wrong, code) { scene in
            let unchanged = scene
            try scene.process(try Intruder(scene).commit(scene) { try change(unchanged, $0) })
        }
    }

    private static let rules: [Rule] = [
        list("12.2", "no ExternalInit", .invalidProposal) { _, _ in [] },
        list("12.2", "two ExternalInits", .invalidProposal) { _, initial in [initial, initial] },
        list("12.2", "an Add", .invalidProposal) { scene, initial in [initial, .add(try scene.keyPackage())] },
        list("12.2", "an Update", .invalidProposal) { scene, initial in [initial, .update(try scene.leafNode())] },
        list("12.2", "extensions", .invalidProposal) { _, initial in [initial, .groupContextExtensions([])] },
        list("12.2", "a ReInit", .invalidProposal) { scene, initial in
            [initial, .reInit(ReInit(groupID: [1], cipherSuite: scene.crypto.suite.identifier, extensions: []))]
        },
        list("12.2", "two Removes", .invalidProposal) { _, initial in
            [initial, .remove(RuleScene.honest), .remove(RuleScene.other)]
        },
        list("12.2", "a Remove of somebody else", .invalidLeafNode) { _, initial in
            [initial, .remove(RuleScene.other)]
        },
        list("12.1.3", "a Remove of a blank leaf", .invalidProposal) { _, initial in
            [initial, .remove(LeafIndex(6))]
        },
        list("12.1.6", "an ExternalInit that does not open", .decryptionFailed) { _, _ in
            [.externalInit(kemOutput: [1])]
        },
        list("8.4", "a PSK that the victim does not have", .unknownReference) { scene, initial in
            [initial, .preSharedKey(.init(source: .external(id: [1]), nonce: scene.nonce))]
        },
        Rule(
            "12.4.3.2", "a proposal by reference", .invalidProposal,
            prepare: { scene in try scene.remember(try scene.forge(.remove(RuleScene.other))) }
        ) { scene in
            let reference = ProposalOrRef.reference(scene.victim.pendingProposals[0].reference)
            try scene.process(try Intruder(scene).commit(scene, references: [reference]) { [$0] })
        },
        Rule("12.4.3.2", "no path", .invalidCommit) { scene in
            try scene.process(
                try scene.forge(.commit(Commit(proposals: [], path: nil)), sender: .newMemberCommit))
        },
        Rule("12.4.3.2", "a signature of another key than the path's", .invalidSignature) { scene in
            try scene.process(try Intruder(scene).commit(scene, signer: scene.forgerSigner) { [$0] })
        },
        Rule("12.4.2", "a false confirmation tag", .invalidTag) { scene in
            try scene.process(try Intruder(scene).commit(scene, tag: { $0.map { $0 ^ 1 } }) { [$0] })
        },
        Rule("12.1.2", "the leaf key of the member it replaces", .invalidLeafNode) { scene in
            // Someone who replaces their older self must bring a new key, as in an Update.
            try scene.process(
                try Intruder(scene, as: RuleScene.forger).commit(scene, keepingKeyOf: RuleScene.forger) {
                    [$0, .remove(RuleScene.forger)]
                })
        },
        Rule("7.3", "the signature key of a member", .invalidLeafNode) { scene in
            var intruder = try Intruder(scene)
            intruder.signer = scene.world.clients[2].signer
            try scene.process(try intruder.commit(scene) { [$0] })
        },
    ]

    @Test(arguments: rules)
    func anExternalCommitThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theIntruderIsLetInWhereItKeepsTheRules() throws {
        let scene = try RuleScene()
        try scene.process(try Intruder(scene).commit(scene) { [$0] })
        try scene.process(
            try Intruder(scene, as: RuleScene.forger).commit(scene) { [$0, .remove(RuleScene.forger)] })
    }
}
