import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §10.1 and §7.3 for those who are added: each key package comes in a commit that is right otherwise.
struct KeyPackageRuleTests {
    private static func add(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ make: @escaping @Sendable (RuleScene) throws -> KeyPackage
    ) -> Rule {
        Rule(section, "an Add: " + wrong, code) { scene in
            // Without a path, whose leaf would have to follow the same rules.
            try scene.process(try scene.forgeCommit([.add(try make(scene))], path: nil))
        }
    }

    private static let notListed = Extension(ExtensionType(0xF00D), data: [])

    private static let rules: [Rule] = [
        add("10.1", "of another suite", .invalidKeyPackage) { scene in
            let crypto = try suite(3)
            return try KeyPackageBundle.generate(
                crypto: crypto, identity: .basic(identity: [5]), signer: scene.forgerSigner, lifetime: World.lifetime,
                entropy: scene.entropy
            ).keyPackage
        },
        add("10.1", "of another version", .unsupported) { scene in
            var bytes = try scene.keyPackage().encoded
            bytes[1] = 2
            return try KeyPackage(decoding: bytes)
        },
        add("10.1", "signed by somebody else", .invalidSignature) { scene in
            try scene.keyPackage(packageSigner: scene.forgerSigner)
        },
        add("10.1", "one key for two purposes", .invalidKeyPackage) { scene in
            let key = try scene.crypto.generateHPKEKey(scene.entropy).publicKey
            return try scene.keyPackage(initKey: key, key: key)
        },
        add("10", "an init key that is none", .invalidKey) { scene in
            try scene.keyPackage(initKey: [UInt8](repeating: 0, count: 32))
        },
        add("10", "an encryption key that is none", .invalidKey) { scene in
            try scene.keyPackage(key: [UInt8](repeating: 0, count: 32))
        },
        add("10", "a leaf of an Update", .invalidKeyPackage) { scene in try scene.keyPackage(leafSource: .update) },
        add("10", "a leaf of a commit", .invalidKeyPackage) { scene in
            try scene.keyPackage(leafSource: .commit(parentHash: []))
        },
        add("7.3", "a leaf signed by somebody else", .invalidSignature) { scene in
            let signer = try scene.crypto.generateSignatureKey(scene.entropy)
            let package = try scene.keyPackage(signer: signer)
            return try KeyPackage(
                initKey: package.initKey, leafNode: try Self.damaged(package.leafNode), extensions: [],
                signer: signer, crypto: scene.crypto)
        },
        add("7.3", "a credential it does not support itself", .invalidLeafNode) { scene in
            try scene.keyPackage(capabilities: Capabilities(credentials: [.x509]))
        },
        add("7.3", "an extension of the leaf that it does not list", .invalidLeafNode) { scene in
            try scene.keyPackage(leafExtensions: [Self.notListed])
        },
        add("7.3", "a credential type that not all members support", .invalidLeafNode) { scene in
            try scene.keyPackage(
                capabilities: Capabilities(credentials: [.basic, .x509]), credential: .x509(chain: [[1]]))
        },
        add("7.3", "no support for the members' credential type", .invalidLeafNode) { scene in
            try scene.keyPackage(
                capabilities: Capabilities(credentials: [.x509]), credential: .x509(chain: [[1]]))
        },
        add("7.3", "a lifetime that is over", .expired) { scene in
            try scene.keyPackage(leafSource: .keyPackage(Lifetime(notBefore: 0, notAfter: World.now - 1)))
        },
        add("7.3", "a lifetime that has not begun", .expired) { scene in
            try scene.keyPackage(leafSource: .keyPackage(Lifetime(notBefore: World.now + 1, notAfter: .max)))
        },
        add("7.3", "a member's encryption key", .invalidLeafNode) { scene in
            try scene.keyPackage(key: try scene.leaf(RuleScene.honest).encryptionKey)
        },
        add("7.3", "a member's signature key", .invalidLeafNode) { scene in
            try scene.keyPackage(signer: scene.world.clients[3].signer)
        },
        add("13.4", "one extension twice", .malformed) { scene in
            try scene.keyPackage(extensions: [Self.notListed, Self.notListed])
        },
        add("13.4", "one extension of the leaf twice", .malformed) { scene in
            try scene.keyPackage(
                capabilities: Capabilities(extensions: [Self.notListed.type]),
                leafExtensions: [Self.notListed, Self.notListed])
        },
        Rule(
            "11.1", "an Add without support for what the group requires", .invalidLeafNode,
            extensions: [
                Extension(.requiredCapabilities, data: RequiredCapabilities(extensions: [.lastResort]).encoded)
            ]
        ) { scene in
            let poor = try scene.keyPackage(capabilities: Capabilities(extensions: []))
            try scene.process(try scene.forgeCommit([.add(poor)]))
        },
        Rule("13.4", "an Add without support for an extension of the group", .invalidLeafNode) { scene in
            let poor = try scene.keyPackage(capabilities: Capabilities(extensions: []))
            try scene.process(
                try scene.forgeCommit([
                    .groupContextExtensions([Extension(.lastResort, data: [])]), .add(poor),
                ]))
        },
        Rule("10", "a KeyPackage of another version than its MLSMessage", .unsupported) { scene in
            var bytes = MLSMessage.keyPackage(try scene.keyPackage()).encoded
            bytes[5] = 2
            _ = try MLSMessage(decoding: bytes)
        },
    ]

    /// The same leaf with its last byte, which belongs to the signature, changed.
    private static func damaged(_ leaf: LeafNode) throws -> LeafNode {
        var bytes = leaf.encoded
        bytes[bytes.count - 1] ^= 1
        return try LeafNode(decoding: bytes)
    }

    @Test(arguments: rules)
    func anAddThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theForgersAddIsTakenWhereItKeepsTheRules() throws {
        let scene = try RuleScene()
        try scene.process(try scene.forgeCommit([.add(try scene.keyPackage())]))
        try scene.process(try scene.forgeCommit([.add(try scene.keyPackage())], path: nil))
        // A reader that catches up does not check a key package against a clock.
        let old = try scene.keyPackage(leafSource: .keyPackage(Lifetime(notBefore: 0, notAfter: 1)))
        _ = try scene.victim.process(try scene.forgeCommit([.add(old)]), now: nil)
    }
}
