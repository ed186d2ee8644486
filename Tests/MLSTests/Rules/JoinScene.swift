import MLS
import Testing

@testable import struct MLS.Group

/// Someone who is being added to a group of four, by a commit with a path; or to one of two without any parents.
struct JoinScene {
    var world: World
    let bundle: KeyPackageBundle
    let staged: StagedCommit
    let original: OpenedWelcome
    var crypto: any SuiteCrypto { world.crypto }

    init(flat: Bool = false) throws {
        var world = try flat ? World(members: 1) : RuleScene().world
        if flat { try world.add(1, by: 0, forcePath: false) }
        bundle = try world.newBundle().bundle
        staged = try world.commit([.add(bundle.keyPackage)], by: 0, forcePath: !flat)
        original = try OpenedWelcome(try #require(staged.welcome), bundle: bundle, crypto: world.crypto)
        self.world = world
    }

    func join(_ welcome: OpenedWelcome) throws -> Group {
        try Group.join(
            welcome: try welcome.seal(for: bundle, self), bundles: [bundle], crypto: crypto, now: World.now
        ).group
    }

    func joinExternally(_ welcome: OpenedWelcome) throws -> StagedCommit {
        try Group.externalCommit(
            groupInfo: MLSMessage.groupInfo(try welcome.groupInfo(self)).encoded, credential: .basic(identity: [5]),
            signer: crypto.generateSignatureKey(world.entropy), crypto: crypto, entropy: world.entropy)
    }
}

/// What is inside a Welcome, to be changed and sealed again.
struct OpenedWelcome: Sendable {
    var context: GroupContext
    var extensions: [Extension]
    var confirmationTag: [UInt8]
    var signer: LeafIndex
    var joinerSecret: Secret
    var pathSecret: Secret?
    var psks: [PreSharedKeyID] = []
    var signedByAnother = false

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

    func groupInfo(_ scene: JoinScene) throws -> GroupInfo {
        try GroupInfo(
            context: context, extensions: extensions, confirmationTag: confirmationTag, signer: signer,
            signatureKey: scene.world.clients[signedByAnother ? 1 : 0].signer, crypto: scene.crypto)
    }

    func seal(for bundle: KeyPackageBundle, _ scene: JoinScene) throws -> [UInt8] {
        let welcome = try Welcome(
            groupInfo: groupInfo(scene), joinerSecret: joinerSecret,
            memberSecret: Self.memberSecret(joinerSecret, crypto: scene.crypto), psks: psks,
            joiners: [(bundle.keyPackage, pathSecret)], crypto: scene.crypto, entropy: scene.world.entropy)
        return MLSMessage.welcome(welcome).encoded
    }

    mutating func setTree(_ bytes: [UInt8]) {
        extensions = extensions.map { $0.type == .ratchetTree ? Extension(.ratchetTree, data: bytes) : $0 }
    }

    /// Puts other nodes into the tree, and the hash of the result into the context.
    mutating func changeNodes(_ crypto: any SuiteCrypto, _ change: (inout [Node?]) -> Void) {
        guard let data = extensions[.ratchetTree], let tree = try? RatchetTree(decoding: data) else { return }
        var nodes = (0..<tree.size.nodeCount).map { tree[NodeIndex($0)] }
        while nodes.last == .some(nil) { nodes.removeLast() }
        change(&nodes)
        var writer = TLSWriter()
        writer.writeVector { writer in for node in nodes { writer.writeOptional(node) } }
        setTree(writer.bytes)
        // If the nodes are not a tree, its hash does not matter.
        if var changed = try? RatchetTree(decoding: writer.bytes) {
            context.treeHash = changed.treeHash(crypto: crypto)
        }
    }

    private static func memberSecret(_ joinerSecret: Secret, crypto: any SuiteCrypto) -> Secret {
        KeySchedule.memberSecret(
            joinerSecret: joinerSecret, pskSecret: Secret([UInt8](repeating: 0, count: crypto.suite.hashLength)),
            crypto: crypto)
    }
}

extension [Node?] {
    /// Changes the parent at a place.
    mutating func change(_ index: Int, _ body: (inout ParentNode) -> Void) {
        guard case .parent(var parent)? = self[index] else { return }
        body(&parent)
        self[index] = .parent(parent)
    }
}
