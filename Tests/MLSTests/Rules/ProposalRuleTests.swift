import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.1 and §12.2 for a member's commit, and §8.4 for its PSKs.
struct ProposalRuleTests {
    /// A commit by value, with path and tags as they should be.
    private static func list(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ make: @escaping @Sendable (RuleScene) throws -> [Proposal]
    ) -> Rule {
        Rule(section, wrong, code) { scene in try scene.process(try scene.forgeCommit(try make(scene))) }
    }

    private static func psk(_ source: PSKSource, nonce: [UInt8]) -> Proposal {
        .preSharedKey(PreSharedKeyID(source: source, nonce: nonce))
    }

    private static func reInit(_ scene: RuleScene, version: ProtocolVersion = .mls10) -> Proposal {
        .reInit(ReInit(groupID: [1], version: version, cipherSuite: scene.crypto.suite.identifier, extensions: []))
    }

    private static let required = Extension(
        .requiredCapabilities, data: RequiredCapabilities(extensions: [ExtensionType(0xF00D)]).encoded)

    /// New extensions by a committer who would support them itself.
    private static func extensions(_ wrong: String, _ extensions: [Extension]) -> Rule {
        Rule("12.1.7", wrong, .invalidProposal) { scene in
            let unchanged = scene
            let message = try scene.forgeCommit(
                [.groupContextExtensions(extensions)],
                path: { path in
                    let leaf = try unchanged.leafNode(
                        key: path.leafNode.encryptionKey, source: path.leafNode.source,
                        capabilities: Capabilities(extensions: [ExtensionType(0xF00D)]))
                    return UpdatePath(leafNode: leaf, nodes: path.nodes)
                })
            try scene.process(message)
        }
    }

    private static let values: [Rule] = [
        list("12.2", "an Update by the committer", .invalidProposal) { scene in [.update(try scene.leafNode())] },
        list("12.2", "a Remove of the committer", .invalidProposal) { _ in [.remove(RuleScene.forger)] },
        list("12.2", "two Removes of one leaf", .invalidProposal) { _ in
            [.remove(RuleScene.other), .remove(RuleScene.other)]
        },
        list("12.2", "two Adds of one client", .invalidLeafNode) { scene in
            let signer = try scene.crypto.generateSignatureKey(scene.entropy)
            return try [.add(scene.keyPackage(signer: signer)), .add(scene.keyPackage(signer: signer))]
        },
        list("12.2", "one KeyPackage added twice", .invalidLeafNode) { scene in
            let keyPackage = try scene.keyPackage()
            return [.add(keyPackage), .add(keyPackage)]
        },
        list("12.2", "an Add of a client who is a member", .invalidLeafNode) { scene in
            [.add(try scene.keyPackage(signer: scene.world.clients[2].signer))]
        },
        list("12.2", "one PSK twice", .invalidProposal) { scene in
            let psk = Self.psk(.external(id: [1]), nonce: scene.nonce)
            return [psk, psk]
        },
        list("12.2", "two sets of extensions", .invalidProposal) { _ in
            [.groupContextExtensions([]), .groupContextExtensions([])]
        },
        list("12.2", "a ReInit and an Add", .invalidProposal) { scene in
            [Self.reInit(scene), .add(try scene.keyPackage())]
        },
        list("12.2", "two ReInits", .invalidProposal) { scene in [Self.reInit(scene), Self.reInit(scene)] },
        list("12.2", "an ExternalInit", .invalidProposal) { _ in [.externalInit(kemOutput: [1])] },
        list("12.1.3", "a Remove of a blank leaf", .invalidProposal) { _ in [.remove(LeafIndex(5))] },
        list("12.1.3", "a Remove outside of the tree", .invalidProposal) { _ in [.remove(LeafIndex(.max))] },
        list("12.1.4", "a PSK nonce that is too short", .invalidProposal) { _ in
            [Self.psk(.external(id: [1]), nonce: [1])]
        },
        list("12.1.4", "a PSK for a ReInit", .invalidProposal) { scene in
            [Self.psk(.resumption(.reinit, groupID: scene.victim.groupID, epoch: 1), nonce: scene.nonce)]
        },
        list("12.1.4", "a PSK for a branch", .invalidProposal) { scene in
            [Self.psk(.resumption(.branch, groupID: scene.victim.groupID, epoch: 1), nonce: scene.nonce)]
        },
        list("12.1.5", "a ReInit to an older version", .invalidProposal) { scene in
            [Self.reInit(scene, version: ProtocolVersion(0))]
        },
        extensions("requirements that not all members meet", [required]),
        extensions("an extension that not all members support", [Extension(ExtensionType(0xF00D), data: [])]),
        list("12.1.7", "requirements that cannot be read", .malformed) { _ in
            [.groupContextExtensions([Extension(.requiredCapabilities, data: [9])])]
        },
        list("13.4", "one extension twice in the group", .malformed) { _ in
            [.groupContextExtensions([Extension(.lastResort, data: []), Extension(.lastResort, data: [])])]
        },
        Rule("13.2", "a proposal of a type that not all members support", .unsupported) { scene in
            // A commit of one proposal by value, of type 0xF00D.
            var body = TLSWriter()
            body.writeVector { writer in
                writer.write(UInt8(1))
                writer.write(ProposalType(0xF00D))
            }
            body.write(UInt8(0))
            _ = try Commit(decoding: body.bytes)
            _ = scene
        },
        Rule("12.2", "more proposals than a commit may have", .tooLarge) { scene in
            let many = Array(repeating: ProposalOrRef.reference(ProposalRef([])), count: Limits.commitProposals + 1)
            try scene.process(try scene.forge(.commit(Commit(proposals: many, path: nil))))
        },
        list("8.4", "a PSK that the victim does not have", .unknownReference) { scene in
            [Self.psk(.external(id: [1]), nonce: scene.nonce)]
        },
        list("8.4", "the PSK of an epoch that has not been", .unknownReference) { scene in
            [Self.psk(.resumption(.application, groupID: scene.victim.groupID, epoch: 99), nonce: scene.nonce)]
        },
        Rule("8.4", "another PSK under the same name", .invalidTag) { scene in
            let source = PSKSource.external(id: [1])
            let id = PreSharedKeyID(source: source, nonce: scene.nonce)
            let message = try scene.forgeCommit([.preSharedKey(id)], psks: [(id, Secret([1]))])
            try scene.process(message, psks: [PreSharedKey(source: source, secret: Secret([2]))])
        },
        Rule("8.4", "PSKs in another order than the proposals'", .invalidTag) { scene in
            let ids = [[1], [2]].map { PreSharedKeyID(source: .external(id: $0), nonce: scene.nonce) }
            let keys = ids.map { PreSharedKey(source: $0.source, secret: Secret([9])) }
            let message = try scene.forgeCommit(
                ids.map { .preSharedKey($0) }, psks: ids.reversed().map { ($0, Secret([9])) })
            try scene.process(message, psks: keys)
        },
    ]

    // MARK: Updates, which come by reference

    /// The forger proposes an Update; member 3 commits it.
    private static func update(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ make: @escaping @Sendable (RuleScene) throws -> LeafNode
    ) -> Rule {
        Rule(
            section, "an Update: " + wrong, code,
            prepare: { scene in try scene.remember(try scene.forge(.update(try make(scene)))) }
        ) { scene in try scene.process(try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3)) }
    }

    private static let updates: [Rule] = [
        update("7.3", "a leaf of a key package", .invalidLeafNode) { scene in
            try scene.leafNode(source: .keyPackage(World.lifetime))
        },
        update("7.3", "a leaf of a commit", .invalidLeafNode) { scene in
            try scene.leafNode(source: .commit(parentHash: []))
        },
        update("7.3", "the old encryption key", .invalidLeafNode) { scene in
            try scene.leafNode(key: try scene.leaf(RuleScene.forger).encryptionKey)
        },
        update("7.3", "another member's encryption key", .invalidLeafNode) { scene in
            try scene.leafNode(key: try scene.leaf(LeafIndex(0)).encryptionKey)
        },
        update("7.3", "another member's signature key", .invalidLeafNode) { scene in
            try scene.leafNode(signer: scene.world.clients[0].signer)
        },
        update("7.3", "an encryption key that is none", .invalidKey) { scene in try scene.leafNode(key: [1]) },
        update("7.3", "signed for another place", .invalidSignature) { scene in
            try scene.leafNode(place: RuleScene.honest)
        },
        update("7.3", "signed for another group", .invalidSignature) { scene in try scene.leafNode(groupID: [1]) },
        update("7.3", "no support for its own credential", .invalidLeafNode) { scene in
            try scene.leafNode(capabilities: Capabilities(credentials: [.x509]))
        },
        Rule(
            "7.3", "an Update: a credential type that not all members support", .invalidLeafNode,
            prepare: { scene in
                scene.victim.configuration.allowsCredentialChange = true
                let leaf = try scene.leafNode(
                    credential: .x509(chain: [[1]]), capabilities: Capabilities(credentials: [.basic, .x509]))
                try scene.remember(try scene.forge(.update(leaf)))
            }
        ) { scene in try scene.process(try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3)) },
        update("7.3", "an extension it does not list", .invalidLeafNode) { scene in
            try scene.leafNode(extensions: [Extension(ExtensionType(0xF00D), data: [])])
        },
        update("5.3.1", "another's name", .invalidLeafNode) { scene in
            try scene.leafNode(credential: .basic(identity: Array("client 1".utf8)))
        },
        Rule(
            "12.2", "an Update and a Remove of one leaf", .invalidProposal,
            prepare: { scene in
                try scene.remember(try scene.forge(.update(try scene.leafNode())))
                try scene.remember(try scene.forge(.remove(RuleScene.forger)))
            }
        ) { scene in try scene.process(try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3)) },
        Rule(
            "12.2", "two Updates of one leaf", .invalidProposal,
            prepare: { scene in
                for _ in 0..<2 { try scene.remember(try scene.forge(.update(try scene.leafNode()))) }
            }
        ) { scene in try scene.process(try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3)) },
        Rule("12.4", "a reference to nothing", .unknownReference) { scene in
            let missing = Commit(proposals: [.reference(ProposalRef([1, 2, 3]))], path: nil)
            try scene.process(try scene.forge(.commit(missing)))
        },
        Rule(
            "12.4", "two references to one proposal", .invalidProposal,
            prepare: { scene in try scene.remember(try scene.forge(.remove(RuleScene.other))) }
        ) { scene in
            let reference = ProposalOrRef.reference(scene.victim.pendingProposals[0].reference)
            try scene.process(try scene.forge(.commit(Commit(proposals: [reference, reference], path: nil))))
        },
        Rule(
            "12.4", "a reference to a proposal of the last epoch", .unknownReference,
            prepare: { scene in try scene.remember(try scene.forge(.remove(RuleScene.other))) }
        ) { scene in
            var later = scene
            let old = scene.victim.pendingProposals
            try later.world.deliver(
                try later.world.commit([], by: 2, includePending: false), from: 2)
            try later.process(try later.forgeCommit(references: old))
        },
    ]

    @Test(arguments: values + updates)
    func aProposalThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theForgersProposalsAreTakenWhereTheyKeepTheRules() throws {
        var scene = try RuleScene()
        for proposal in [
            Proposal.remove(RuleScene.other), .groupContextExtensions([]), Self.reInit(scene),
        ] {
            try scene.process(try scene.forgeCommit([proposal]))
        }
        let source = PSKSource.external(id: [1])
        let id = PreSharedKeyID(source: source, nonce: scene.nonce)
        let psk = try scene.forgeCommit([.preSharedKey(id)], psks: [(id, Secret([1]))])
        try scene.process(psk, psks: [PreSharedKey(source: source, secret: Secret([1]))])
        // A Remove makes room for an Add of the same client.
        let again = try scene.keyPackage(signer: scene.world.clients[3].signer)
        try scene.process(try scene.forgeCommit([.remove(RuleScene.other), .add(again)]))
        try scene.remember(try scene.forge(.update(try scene.leafNode())))
        try scene.process(try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3))
    }
}
