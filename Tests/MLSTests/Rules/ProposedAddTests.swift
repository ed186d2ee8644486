import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §7.3 and §10.1 for those who propose someone: a key package that no one may commit is not proposed either.
struct ProposedAddTests {
    /// What is wrong with a key package, and who finds out.
    struct Row: Sendable, CustomTestStringConvertible {
        let section: String
        let wrong: String
        let code: MLSError.Code
        let make: @Sendable (RuleScene, SignaturePrivateKey) throws -> KeyPackage

        init(
            _ section: String, _ wrong: String, _ code: MLSError.Code,
            _ make: @escaping @Sendable (RuleScene, SignaturePrivateKey) throws -> KeyPackage
        ) {
            self.section = section
            self.wrong = wrong
            self.code = code
            self.make = make
        }

        var testDescription: String { "§\(section): \(wrong)" }
    }

    private static let rows: [Row] = [
        Row("7.3", "a lifetime that is over", .expired) { scene, signer in
            try scene.keyPackage(
                signer: signer, leafSource: .keyPackage(Lifetime(notBefore: 0, notAfter: World.now - 1)))
        },
        Row("7.3", "a lifetime that has not begun", .expired) { scene, signer in
            try scene.keyPackage(
                signer: signer, leafSource: .keyPackage(Lifetime(notBefore: World.now + 1, notAfter: .max)))
        },
        Row("10.1", "signed by somebody else", .invalidSignature) { scene, signer in
            try scene.keyPackage(signer: signer, packageSigner: scene.forgerSigner)
        },
        Row("7.3", "a leaf signed by somebody else", .invalidSignature) { scene, signer in
            let package = try scene.keyPackage(signer: signer)
            var leaf = package.leafNode.encoded
            leaf[leaf.count - 1] ^= 1
            return try KeyPackage(
                initKey: package.initKey, leafNode: LeafNode(decoding: leaf), extensions: [], signer: signer,
                crypto: scene.crypto)
        },
        Row("10.1", "of another suite", .invalidKeyPackage) { scene, signer in
            // Its keys are of the same kinds.
            try KeyPackageBundle.generate(
                crypto: suite(3), identity: .basic(identity: [5]), signer: signer, lifetime: World.lifetime,
                entropy: scene.entropy
            ).keyPackage
        },
        Row("10.1", "of another version", .unsupported) { scene, signer in
            var bytes = try scene.keyPackage(signer: signer).encoded
            bytes[1] = 2
            return try KeyPackage(decoding: bytes)
        },
        Row("10.1", "one key for two purposes", .invalidKeyPackage) { scene, signer in
            let key = try scene.crypto.generateHPKEKey(scene.entropy).publicKey
            return try scene.keyPackage(initKey: key, key: key, signer: signer)
        },
        Row("10", "a leaf of an Update", .invalidKeyPackage) { scene, signer in
            try scene.keyPackage(signer: signer, leafSource: .update)
        },
        Row("7.3", "no support for its own credential", .invalidLeafNode) { scene, signer in
            try scene.keyPackage(signer: signer, capabilities: Capabilities(credentials: [.x509]))
        },
        Row("11.1", "no support for what the group requires", .invalidLeafNode) { scene, signer in
            try scene.keyPackage(signer: signer, capabilities: Capabilities(extensions: []))
        },
    ]

    /// The three ways to propose an Add.
    private struct Stage {
        var scene: RuleScene
        let service: SignaturePrivateKey
        let newcomer: SignaturePrivateKey

        init() throws {
            let crypto = try suite(1)
            let entropy = SeededEntropy(seed: 41)
            service = try crypto.generateSignatureKey(entropy)
            newcomer = try crypto.generateSignatureKey(entropy)
            let sender = ExternalSender(signatureKey: service.publicKey, credential: .basic(identity: [1]))
            scene = try RuleScene(extensions: [
                .externalSenders([sender]), .requiredCapabilities(.init(extensions: [.lastResort])),
            ])
        }

        mutating func propose(_ keyPackage: KeyPackage, now: UInt64?, _ attempt: (() throws -> [UInt8]) throws -> Void)
            rethrows
        {
            let (group, signer) = (scene.victim, scene.world.clients[0].signer)
            let entropy = scene.entropy
            try attempt {
                var group = group
                return try group.propose(.add(keyPackage), signer: signer, now: now, entropy: entropy)
            }
            try attempt {
                try Group.externalProposal(
                    .add(keyPackage), groupInfo: group.groupInfo(signer: signer), signer: service,
                    crypto: scene.crypto, now: now)
            }
            try attempt {
                try Group.newMemberProposal(
                    keyPackage, groupInfo: group.groupInfo(signer: signer), signer: newcomer, crypto: scene.crypto,
                    now: now)
            }
        }
    }

    @Test(arguments: rows)
    func whatNobodyMayCommitIsNotProposed(row: Row) throws {
        var stage = try Stage()
        let keyPackage = try row.make(stage.scene, stage.newcomer)
        stage.propose(keyPackage, now: World.now) { attempt in
            expectError(row.code, row.testDescription) { try attempt() }
        }
    }

    @Test func whatIsRightIsProposedAndTheClockMayBeLeftToTheCommitter() throws {
        var stage = try Stage()
        stage.scene.world.clients[1].group.configuration.acceptsNewMemberProposals = true
        let reader = stage.scene.world.clients[1].group
        let good = try stage.scene.keyPackage(signer: stage.newcomer)
        let old = try stage.scene.keyPackage(
            signer: stage.newcomer, leafSource: .keyPackage(Lifetime(notBefore: 0, notAfter: 1)))
        for (keyPackage, now) in [(good, World.now), (old, nil)] as [(KeyPackage, UInt64?)] {
            try stage.propose(keyPackage, now: now) { attempt in
                guard case .proposal(let pending) = try reader.process(attempt(), now: World.now) else {
                    throw MLSError(.malformed, "not a proposal")
                }
                #expect(pending.proposal == .add(keyPackage))
            }
        }
    }

    @Test func aMemberProposesNobodyWhomItWouldNotAdd() throws {
        var stage = try Stage()
        let signer = stage.scene.world.clients[0].signer
        let large = try stage.scene.keyPackage(
            capabilities: Capabilities(
                extensions: (0..<8_500).map { ExtensionType(UInt16(0x1000 + $0)) } + [.lastResort]))
        let stranger = try stage.scene.keyPackage()
        expectError(.tooLarge) {
            try stage.scene.victim.propose(.add(large), signer: signer, now: nil, entropy: stage.scene.entropy)
        }
        stage.scene.victim.configuration.authentication = Suspicion()
        expectError(.credentialRefused) {
            try stage.scene.victim.propose(.add(stranger), signer: signer, now: nil, entropy: stage.scene.entropy)
        }
        #expect(stage.scene.victim.pendingProposals.isEmpty)
    }

    /// Lets no one in.
    private struct Suspicion: AuthenticationService {
        func accepts(_ claim: CredentialClaim) -> Bool { claim.source != .add }
    }
}
