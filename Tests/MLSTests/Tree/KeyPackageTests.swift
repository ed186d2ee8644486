import MLS
import Testing

struct KeyPackageTests {
    private let crypto: any SuiteCrypto
    private let entropy = SeededEntropy(seed: 1)
    private let member: TestMember

    init() throws {
        crypto = try suite(1)
        member = try TestMember("alice", crypto: crypto, entropy: entropy)
    }

    private func leaf(
        key: [UInt8]? = nil, profile: LeafNode.Profile? = nil, source: LeafNodeSource = .keyPackage(TestMember.lifetime)
    ) throws -> LeafNode {
        try LeafNode(
            encryptionKey: key ?? member.leaf.encryptionKey, profile: profile ?? member.leaf.profile, source: source,
            placement: .init(groupID: [], leafIndex: LeafIndex(0)), signer: member.signer, crypto: crypto)
    }

    private func package(_ leaf: LeafNode, initKey: [UInt8]? = nil, signer: SignaturePrivateKey? = nil) throws
        -> KeyPackage
    {
        try KeyPackage(
            initKey: initKey ?? member.bundle.initKey.publicKey, leafNode: leaf, extensions: [],
            signer: signer ?? member.signer, crypto: crypto)
    }

    @Test(arguments: allSuites)
    func aFreshOneIsValidInItsLifetime(number: UInt16) throws {
        let crypto = try suite(number)
        let package = try TestMember("bob", crypto: crypto, entropy: entropy).bundle.keyPackage
        for now in [nil, 1_000, 2_000] as [UInt64?] { try package.validate(crypto: crypto, now: now) }
        for now in [0, 999, 2_001, .max] as [UInt64] {
            expectError(.expired) { try package.validate(crypto: crypto, now: now) }
        }
        let other = try suite(number == 1 ? 3 : 1)
        expectError(.invalidKeyPackage) { try package.validate(crypto: other, now: nil) }
    }

    @Test func eachBrokenRuleIsRefused() throws {
        let stranger = try TestMember("mallory", crypto: crypto, entropy: entropy)
        let noBasic = LeafNode.Profile(
            credential: .basic(identity: [1]), capabilities: Capabilities(credentials: [.x509]))
        let unlisted = LeafNode.Profile(
            credential: .basic(identity: [1]), extensions: [Extension(ExtensionType(0xF001), data: [])])
        let cases: [(String, MLSError.Code, KeyPackage)] = try [
            ("a leaf of an update", .invalidKeyPackage, package(leaf(source: .update))),
            ("a leaf of a commit", .invalidKeyPackage, package(leaf(source: .commit(parentHash: [])))),
            ("one key for two purposes", .invalidKeyPackage, package(leaf(), initKey: member.leaf.encryptionKey)),
            ("an init key that is none", .invalidKey, package(leaf(), initKey: [1])),
            ("an encryption key that is none", .invalidKey, package(leaf(key: [1]))),
            ("its credential unsupported", .invalidLeafNode, package(leaf(profile: noBasic))),
            ("its extension unsupported", .invalidLeafNode, package(leaf(profile: unlisted))),
            ("signed by somebody else", .invalidSignature, package(leaf(), signer: stranger.signer)),
            ("somebody else's leaf", .invalidSignature, package(stranger.leaf)),
        ]
        var unsigned = member.leaf.encoded
        unsigned[unsigned.count - 1] ^= 1
        let brokenLeaf = try package(LeafNode(decoding: unsigned))
        expectError(.invalidSignature, "only the leaf's signature") {
            try brokenLeaf.validate(crypto: crypto, now: nil)
        }
        for (what, code, package) in cases {
            expectError(code, what) { try package.validate(crypto: crypto, now: nil) }
        }
        var otherVersion = member.bundle.keyPackage.encoded
        otherVersion[1] = 2
        expectError(.unsupported) { try KeyPackage(decoding: otherVersion).validate(crypto: crypto, now: nil) }
        var otherSuite = member.bundle.keyPackage.encoded
        otherSuite[3] = 0x77
        expectError(.unsupported) { try KeyPackage(decoding: otherSuite) }
    }

    @Test func extensionsOfOneTypeTwiceAreMalformed() throws {
        let twice = [Extension(ExtensionType(0xF001), data: [1]), Extension(ExtensionType(0xF001), data: [2])]
        let package = try KeyPackage(
            initKey: member.bundle.initKey.publicKey, leafNode: leaf(), extensions: twice, signer: member.signer,
            crypto: crypto)
        expectError(.malformed) { try KeyPackage(decoding: package.encoded) }
        let profile = LeafNode.Profile(
            credential: .basic(identity: [1]), capabilities: Capabilities(extensions: [ExtensionType(0xF001)]),
            extensions: twice)
        expectError(.malformed) { try LeafNode(decoding: leaf(profile: profile).encoded) }
    }

    @Test func noByteCanBeChangedUnnoticed() throws {
        let valid = member.bundle.keyPackage.encoded
        try checkMutations(of: valid, as: KeyPackage.self)
        checkNoise(as: KeyPackage.self)
        for place in valid.indices {
            var changed = valid
            changed[place] ^= 1
            #expect(throws: MLSError.self, "byte \(place)") {
                try KeyPackage(decoding: changed).validate(crypto: crypto, now: nil)
            }
        }
    }

    @Test func unknownValuesAreCarried() throws {
        let grease = LeafNode.Profile(
            credential: .other(type: CredentialType(0x0A0A), content: [1, 2]),
            capabilities: Capabilities(
                versions: [.mls10, ProtocolVersion(0x0A0A)], cipherSuites: [.init(1), .init(0x0A0A)],
                extensions: [ExtensionType(0x1A1A)], proposals: [ProposalType(0x2A2A)],
                credentials: [.basic, CredentialType(0x0A0A)]),
            extensions: [Extension(ExtensionType(0x1A1A), data: [3])])
        let package = try package(leaf(profile: grease))
        let decoded = try KeyPackage(decoding: package.encoded)
        #expect(decoded == package)
        #expect(decoded.leafNode.credential.identity.isEmpty)
        try decoded.validate(crypto: crypto, now: 1_500)
        try checkMutations(of: package.leafNode.encoded, as: LeafNode.self)
    }

    @Test func aBundleComesBackFromStorage() throws {
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: [1]), signer: member.signer, lifetime: TestMember.lifetime,
            lastResort: true, entropy: entropy)
        #expect(bundle.keyPackage.isLastResort)
        #expect(!member.bundle.keyPackage.isLastResort)
        let stored = bundle.serialized
        let restored = try KeyPackageBundle(serialized: stored, crypto: crypto)
        #expect(restored.keyPackage.ref(crypto: crypto) == bundle.keyPackage.ref(crypto: crypto))
        #expect(restored.initKey.raw == bundle.initKey.raw)
        #expect(restored.encryptionKey.raw == bundle.encryptionKey.raw)

        for end in stored.indices {
            #expect(throws: MLSError.self) { try KeyPackageBundle(serialized: Array(stored[..<end]), crypto: crypto) }
        }
        expectError(.unsupported) { try KeyPackageBundle(serialized: [2] + stored.dropFirst(), crypto: crypto) }
        expectError(.malformed) { try KeyPackageBundle(serialized: stored, crypto: suite(3)) }
        expectError(.malformed) {
            try KeyPackageBundle(
                keyPackage: bundle.keyPackage, initKey: bundle.encryptionKey.raw, encryptionKey: bundle.initKey.raw,
                crypto: crypto)
        }
    }
}
