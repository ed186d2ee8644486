import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.4 and §12.4.2: commits, their paths and their tags.
struct CommitRuleTests {
    private static func path(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ change: @escaping @Sendable (RuleScene, UpdatePath) throws -> UpdatePath
    ) -> Rule {
        Rule(section, "a path: " + wrong, code) { scene in
            let unchanged = scene
            try scene.process(try scene.forgeCommit(path: { try change(unchanged, $0) }))
        }
    }

    /// The path's leaf with something else in it, signed again.
    private static func leaf(
        _ scene: RuleScene, _ path: UpdatePath, key: [UInt8]? = nil, source: LeafNodeSource? = nil,
        credential: Credential? = nil, capabilities: Capabilities? = nil, place: LeafIndex = RuleScene.forger,
        signer: SignaturePrivateKey? = nil
    ) throws -> UpdatePath {
        let leaf = try scene.leafNode(
            key: key ?? path.leafNode.encryptionKey, source: source ?? path.leafNode.source, credential: credential,
            capabilities: capabilities, place: place, signer: signer)
        return UpdatePath(leafNode: leaf, nodes: path.nodes)
    }

    private static func nodes(_ path: UpdatePath, _ change: (inout [UpdatePathNode]) throws -> Void) rethrows
        -> UpdatePath
    {
        var nodes = path.nodes
        try change(&nodes)
        return UpdatePath(leafNode: path.leafNode, nodes: nodes)
    }

    private static let paths: [Rule] = [
        Rule("12.4", "no proposal and no path", .invalidCommit) { scene in
            try scene.process(try scene.forgeCommit(path: nil))
        },
        Rule("12.4", "a Remove without a path", .invalidCommit) { scene in
            try scene.process(try scene.forgeCommit([.remove(RuleScene.other)], path: nil))
        },
        Rule("12.4", "extensions without a path", .invalidCommit) { scene in
            try scene.process(try scene.forgeCommit([.groupContextExtensions([])], path: nil))
        },
        Rule(
            "12.4", "an Update without a path", .invalidCommit,
            prepare: { scene in try scene.remember(try scene.forge(.update(try scene.leafNode()))) }
        ) { scene in
            try scene.process(
                try scene.forgeCommit(references: scene.victim.pendingProposals, by: 3, path: nil))
        },
        path("12.4.2", "a leaf of an Update", .invalidLeafNode) { try leaf($0, $1, source: .update) },
        path("12.4.2", "a leaf of a key package", .invalidLeafNode) {
            try leaf($0, $1, source: .keyPackage(World.lifetime))
        },
        path("12.4.2", "the committer's old key", .invalidLeafNode) { scene, path in
            try leaf(scene, path, key: try scene.leaf(RuleScene.forger).encryptionKey)
        },
        path("7.3", "another member's key", .invalidLeafNode) { scene, path in
            try leaf(scene, path, key: try scene.leaf(RuleScene.honest).encryptionKey)
        },
        path("7.3", "a key that is none", .invalidKey) { try leaf($0, $1, key: []) },
        path("7.3", "another member's signature key", .invalidLeafNode) { scene, path in
            try leaf(scene, path, signer: scene.world.clients[2].signer)
        },
        path("7.3", "signed for another place", .invalidSignature) { try leaf($0, $1, place: RuleScene.honest) },
        path("7.3", "no support for its own credential", .invalidLeafNode) {
            try leaf($0, $1, capabilities: Capabilities(credentials: []))
        },
        Rule(
            "7.3", "a path: no support for an extension of the group", .invalidLeafNode,
            extensions: [Extension(.lastResort, data: [])]
        ) { scene in
            let unchanged = scene
            try scene.process(
                try scene.forgeCommit(path: {
                    try leaf(unchanged, $0, capabilities: Capabilities(extensions: []))
                }))
        },
        Rule(
            "7.3", "a path: no support for what the group requires", .invalidLeafNode,
            extensions: [.requiredCapabilities(.init(extensions: [.lastResort]))]
        ) { scene in
            let unchanged = scene
            try scene.process(
                try scene.forgeCommit(path: {
                    try leaf(unchanged, $0, capabilities: Capabilities(extensions: []))
                }))
        },
        path("7.3", "a leaf that is too large", .tooLarge) { scene, path in
            let types = [ExtensionType.lastResort] + (0..<8_500).map { ExtensionType(UInt16(0x1000 + $0)) }
            return try leaf(scene, path, capabilities: Capabilities(extensions: types))
        },
        path("5.3.1", "another's name", .invalidLeafNode) {
            try leaf($0, $1, credential: .basic(identity: Array("client 1".utf8)))
        },
        path("7.9.2", "another parent hash", .invalidCommit) {
            try leaf($0, $1, source: .commit(parentHash: [UInt8](repeating: 1, count: 32)))
        },
        path("7.9.2", "no parent hash", .invalidCommit) { try leaf($0, $1, source: .commit(parentHash: [])) },
        path("12.4.2", "a node too few", .invalidCommit) { nodes($1) { $0.removeLast() } },
        path("12.4.2", "a node it must not have", .invalidCommit) { nodes($1) { $0.append($0[0]) } },
        path("7.5", "a key that is none", .invalidKey) {
            nodes($1) { $0[0] = UpdatePathNode(encryptionKey: [1], encryptedPathSecret: $0[0].encryptedPathSecret) }
        },
        path("7.6", "a secret for nobody", .invalidCommit) {
            nodes($1) {
                $0[1] = UpdatePathNode(
                    encryptionKey: $0[1].encryptionKey,
                    encryptedPathSecret: $0[1].encryptedPathSecret + $0[1].encryptedPathSecret.prefix(1))
            }
        },
        path("7.6", "a secret too few, for another", .invalidCommit) {
            nodes($1) {
                $0[1] = UpdatePathNode(
                    encryptionKey: $0[1].encryptionKey,
                    encryptedPathSecret: Array($0[1].encryptedPathSecret.dropLast()))
            }
        },
        path("7.5", "a secret that does not open", .decryptionFailed) {
            nodes($1) {
                var secrets = $0[0].encryptedPathSecret
                secrets[0].ciphertext[0] ^= 1
                $0[0] = UpdatePathNode(encryptionKey: $0[0].encryptionKey, encryptedPathSecret: secrets)
            }
        },
        path("7.5", "a secret sealed to another", .decryptionFailed) { scene, path in
            let stranger = try scene.crypto.generateHPKEKey(scene.entropy).publicKey
            let sealed = try scene.crypto.encryptWithLabel(
                to: stranger, label: "UpdatePathNode", context: [], scene.entropy.secret(32), scene.entropy)
            return nodes(path) {
                $0[0] = UpdatePathNode(encryptionKey: $0[0].encryptionKey, encryptedPathSecret: [sealed])
            }
        },
    ]

    private static let tags: [Rule] = [
        Rule("12.4.2", "a false confirmation tag", .invalidTag) { scene in
            try scene.process(try scene.forgeCommit(tag: { $0.map { $0 ^ 1 } }))
        },
        Rule("12.4.2", "an empty confirmation tag", .invalidTag) { scene in
            try scene.process(try scene.forgeCommit(tag: { _ in [] }))
        },
        Rule("12.4.2", "a confirmation tag cut short", .invalidTag) { scene in
            try scene.process(try scene.forgeCommit(tag: { Array($0.dropLast()) }))
        },
        Rule("12.4.2", "a false confirmation tag of a PrivateMessage", .invalidTag) { scene in
            try scene.process(try scene.forgeCommit(as: .privateMessage, tag: { $0.map { $0 ^ 1 } }))
        },
        Rule("8.1", "an epoch after the last", .invalidState) { scene in
            var context = scene.victim.current.context
            context.epoch = .max
            let nothing = try ProposalList([], committer: RuleScene.forger, crypto: scene.crypto)
            _ = try AppliedProposals(
                nothing, to: scene.victim.current.tree, context: context, crypto: scene.crypto, now: nil)
        },
        Rule("12.4.2", "a staged commit of another group", .wrongGroup) { scene in
            let other = try World(members: 1, groupID: [1])
            try scene.victim.merge(try other.commit([], by: 0))
        },
        Rule("12.4.2", "the same commit again", .epochTooOld) { scene in
            var copy = scene
            let message = try scene.forgeCommit()
            guard case .commit(let staged) = try copy.victim.process(message, now: World.now) else { return }
            try copy.victim.merge(staged)
            try copy.process(message)
        },
        Rule("12.4.2", "a message after the ReInit", .invalidState) { scene in
            var copy = scene
            let reInit = ReInit(groupID: [1], cipherSuite: scene.crypto.suite.identifier, extensions: [])
            try copy.world.deliver(try copy.world.commit([.reInit(reInit)], by: 2), from: 2)
            _ = try copy.world.protect("too late", by: 0)
        },
        Rule("12.4.2", "a message after one's own removal", .removed) { scene in
            var copy = scene
            let staged = try copy.world.commit([.remove(LeafIndex(0))], by: 2)
            guard case .commit(let theirs) = try copy.victim.process(staged.message, now: World.now) else { return }
            try copy.victim.merge(theirs)
            _ = try copy.world.protect("too late", by: 0)
        },
    ]

    @Test(arguments: paths + tags)
    func aCommitThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theForgersCommitIsTakenWhereItKeepsTheRules() throws {
        let scene = try RuleScene()
        try scene.process(try scene.forgeCommit())
        try scene.process(try scene.forgeCommit(as: .privateMessage))
        let unchanged = scene
        try scene.process(
            try scene.forgeCommit(path: { path in
                // Signed again, so at most the signature differs: Ed25519 gives the same one.
                try Self.leaf(unchanged, path)
            }))
    }
}
