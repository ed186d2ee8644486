import MLS
import Testing

@testable import struct MLS.Group

/// Welcomes that a member has sealed and signed properly, and that yet break a rule (RFC 9420 §12.4.3.1).
struct ForgedWelcomeTests {
    @Test func welcomesThatBreakARuleAreRefused() throws {
        var world = try World(members: 3)
        let (_, _, bundle) = try world.newBundle()
        let staged = try world.commit([.add(bundle.keyPackage)], by: 0)
        let original = try OpenedWelcome(try #require(staged.welcome), bundle: bundle, crypto: world.crypto)
        let crypto = world.crypto
        let signer = world.clients[0].signer
        let other = world.clients[1].signer
        let foreignTree = try World(seed: 9, members: 2).clients[0].group.current.tree.encoded

        func check(
            _ name: String, _ code: MLSError.Code?, signedBy key: SignaturePrivateKey? = nil,
            _ change: (inout OpenedWelcome) -> Void
        ) throws {
            var changed = original
            change(&changed)
            let welcome = try changed.seal(for: bundle, signer: key ?? signer, crypto: crypto, entropy: world.entropy)
            func join() throws -> Group {
                try Group.join(welcome: welcome, bundles: [bundle], crypto: crypto, now: World.now).group
            }
            if let code {
                expectError(code, name) { try join() }
            } else {
                #expect(try join().epoch == 2)
            }
        }
        try check("nothing changed", nil) { _ in }
        try check("another confirmation tag", .invalidTag) { $0.confirmationTag[0] ^= 1 }
        try check("an empty confirmation tag", .invalidTag) { $0.confirmationTag = [] }
        try check("another's signature", .invalidSignature, signedBy: other) { _ in }
        try check("a signer that is blank", .invalidWelcome) { $0.signer = LeafIndex(5) }
        try check("a signer outside of any tree", .invalidWelcome) { $0.signer = LeafIndex(.max) }
        try check("another epoch", .invalidTag) { $0.context.epoch += 1 }
        try check("another transcript", .invalidTag) { $0.context.confirmedTranscriptHash = [] }
        try check("another group", .invalidSignature) { $0.context.groupID = [1] }
        try check("another tree hash", .invalidTree) { $0.context.treeHash[0] ^= 1 }
        try check("another suite", .invalidWelcome) { $0.context.suite = .x25519_chacha20poly1305_sha256_ed25519 }
        try check("an extension that nobody supports", .invalidTree) {
            $0.context.extensions = [Extension(ExtensionType(0xF00D), data: [])]
        }
        try check("no tree", .invalidWelcome) { $0.extensions = [] }
        try check("another tree", .invalidTree) { $0.extensions = [Extension(.ratchetTree, data: foreignTree)] }
        try check("no tree in the tree", .malformed) { $0.extensions = [Extension(.ratchetTree, data: [1])] }
        try check("another path secret", .invalidWelcome) { $0.pathSecret = Secret([1, 2, 3]) }
        try check("another joiner secret", .invalidTag) { $0.joinerSecret = Secret([1, 2, 3]) }
        try check("an unknown PSK", .unknownReference) {
            $0.psks = [.init(source: .external(id: [1]), nonce: [UInt8](repeating: 0, count: crypto.suite.hashLength))]
        }
        try check("a short PSK nonce", .invalidWelcome) {
            $0.psks = [.init(source: .external(id: [1]), nonce: [])]
        }
        try check("a group that goes on from another", .unknownReference) {
            $0.psks = [.init(source: .resumption(.reinit, groupID: [1], epoch: 1), nonce: [])]
        }
    }

    @Test func aWelcomeForAnotherKeyOrLeafIsRefused() throws {
        var world = try World(members: 2)
        let (_, _, bundle) = try world.newBundle()
        let (_, _, stranger) = try world.newBundle()
        let staged = try world.commit([.add(bundle.keyPackage)], by: 0)
        let opened = try OpenedWelcome(try #require(staged.welcome), bundle: bundle, crypto: world.crypto)
        // Sealed to a client that the commit did not add.
        let welcome = try opened.seal(
            for: stranger, signer: world.clients[0].signer, crypto: world.crypto, entropy: world.entropy)
        expectError(.invalidWelcome) {
            try Group.join(welcome: welcome, bundles: [stranger], crypto: world.crypto, now: World.now)
        }
    }
}

/// What is inside of a Welcome, to be changed and sealed again.
private struct OpenedWelcome {
    var context: GroupContext
    var extensions: [Extension]
    var confirmationTag: [UInt8]
    var signer: LeafIndex
    var joinerSecret: Secret
    var pathSecret: Secret?
    var psks: [PreSharedKeyID] = []

    init(_ bytes: [UInt8], bundle: KeyPackageBundle, crypto: any SuiteCrypto) throws {
        guard case .welcome(let welcome) = try MLSMessage(decoding: bytes) else {
            throw MLSError(.malformed, "not a Welcome")
        }
        let secrets = try welcome.openGroupSecrets(
            try #require(welcome.secrets.first), with: bundle.initKey, crypto: crypto)
        joinerSecret = secrets.joinerSecret
        pathSecret = secrets.pathSecret
        let info = try welcome.openGroupInfo(
            memberSecret: Self.memberSecret(joinerSecret, crypto: crypto), crypto: crypto)
        (context, extensions) = (info.context, info.extensions)
        (confirmationTag, signer) = (info.confirmationTag, info.signer)
    }

    func seal(
        for bundle: KeyPackageBundle, signer key: SignaturePrivateKey, crypto: any SuiteCrypto,
        entropy: any EntropySource
    ) throws -> [UInt8] {
        let info = try GroupInfo(
            context: context, extensions: extensions, confirmationTag: confirmationTag, signer: signer,
            signatureKey: key, crypto: crypto)
        let welcome = try Welcome(
            groupInfo: info, joinerSecret: joinerSecret,
            memberSecret: Self.memberSecret(joinerSecret, crypto: crypto), psks: psks,
            joiners: [(bundle.keyPackage, pathSecret)], crypto: crypto, entropy: entropy)
        return MLSMessage.welcome(welcome).encoded
    }

    private static func memberSecret(_ joinerSecret: Secret, crypto: any SuiteCrypto) -> Secret {
        KeySchedule.memberSecret(
            joinerSecret: joinerSecret, pskSecret: Secret([UInt8](repeating: 0, count: crypto.suite.hashLength)),
            crypto: crypto)
    }
}
