import MLS

/// What is above the leaves.
enum Shape: String, CaseIterable {
    /// One member has added all others, without a path: nothing.
    case flat
    /// Members have committed until no parent was blank.
    case warm
}

/// A group of many members of whom only two have a state: the one at the left end, and the one who was added last, at
/// the right.
///
/// The others are leaves with a signature key. Those who have to commit to fill the tree do so only in the tree, and
/// seal to no one.
struct SampleGroup {
    let shape: Shape
    let size: Int
    let left: Participant
    let right: Participant
    /// How the right one joined: the last Add.
    let welcome: [UInt8]
    let bundle: KeyPackageBundle

    struct Participant {
        let group: Group
        let signer: SignaturePrivateKey
    }

    static let groupID = Array("a group of a benchmark".utf8)
    static let lifetime = Lifetime(notBefore: 0, notAfter: .max)

    init(_ shape: Shape, size: Int, crypto: any SuiteCrypto, entropy: any EntropySource) throws {
        self.shape = shape
        self.size = size
        let member = try Self.client(0, crypto: crypto, entropy: entropy)
        var left = try Self.founder(shape, size: size - 1, as: member, crypto: crypto, entropy: entropy)
        let newcomer = try Self.client(size, crypto: crypto, entropy: entropy)
        let added = try left.commit(
            [.add(newcomer.bundle.keyPackage)], forcePath: false, signer: member.signer, now: nil, entropy: entropy)
        try left.merge(added)
        welcome = added.welcome ?? []
        bundle = newcomer.bundle
        var right = try Group.join(welcome: welcome, bundles: [bundle], crypto: crypto, now: nil).group
        if shape == .warm {
            let update = try right.commit([], signer: newcomer.signer, now: nil, entropy: entropy)
            guard case .commit(let received) = try left.process(update.message, now: nil) else {
                throw Trouble("a commit is none")
            }
            try right.merge(update)
            try left.merge(received)
        }
        // From here on only changes are stored.
        _ = (left.takeStateChanges(), right.takeStateChanges())
        self.left = Participant(group: left, signer: member.signer)
        self.right = Participant(group: right, signer: newcomer.signer)
    }

    struct Client {
        let bundle: KeyPackageBundle
        let signer: SignaturePrivateKey
    }

    static func client(_ number: Int, crypto: any SuiteCrypto, entropy: any EntropySource) throws -> Client {
        let signer = try crypto.generateSignatureKey(entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array("member \(number)".utf8)), signer: signer,
            lifetime: lifetime, entropy: entropy)
        return Client(bundle: bundle, signer: signer)
    }

    /// A group that `member` has joined by a Welcome made by hand, in the second leaf if there is one.
    private static func founder(
        _ shape: Shape, size: Int, as member: Client, crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws -> Group {
        var tree = RatchetTree()
        var signers: [SignaturePrivateKey] = []
        for index in 0..<size {
            let isOwn = index == min(1, size - 1)
            let client = isOwn ? member : try client(index + 1, crypto: crypto, entropy: entropy)
            _ = try tree.addLeaf(client.bundle.keyPackage.leafNode)
            signers.append(client.signer)
        }
        var pathSecret: Secret?
        if shape == .warm, size > 1 {
            // Every second leaf is enough to fill all parents. The first one comes last, so the one beside it knows its
            // whole path.
            for index in stride(from: size - 1 - (size - 1) % 2, through: 0, by: -2) {
                let leaf = LeafIndex(UInt32(index))
                let profile = try value(tree[leaf]).profile
                let path = try tree.prepareUpdatePath(
                    from: leaf, profile: profile, groupID: groupID, signer: signers[index], crypto: crypto,
                    entropy: entropy)
                pathSecret = path.pathSecret(for: LeafIndex(1))
            }
        }
        let secrets = GroupSecrets(
            joinerSecret: entropy.secret(crypto.suite.hashLength), pathSecret: pathSecret, psks: [])
        return try Group.join(
            welcome: welcome(
                to: member.bundle.keyPackage, secrets: secrets, tree: &tree, signer: signers[0], crypto: crypto,
                entropy: entropy),
            bundles: [member.bundle], crypto: crypto, now: nil
        ).group
    }

    private static func welcome(
        to keyPackage: KeyPackage, secrets: GroupSecrets, tree: inout RatchetTree, signer: SignaturePrivateKey,
        crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws -> [UInt8] {
        let context = GroupContext(
            suite: crypto.suite, groupID: groupID, epoch: 1, treeHash: tree.treeHash(crypto: crypto),
            confirmedTranscriptHash: entropy.bytes(crypto.suite.hashLength), extensions: [])
        let memberSecret = KeySchedule.memberSecret(
            joinerSecret: secrets.joinerSecret,
            pskSecret: Secret([UInt8](repeating: 0, count: crypto.suite.hashLength)), crypto: crypto)
        let epochSecret = KeySchedule.epochSecret(memberSecret: memberSecret, context: context.encoded, crypto: crypto)
        let tag = TranscriptHash.confirmationTag(
            confirmationKey: EpochSecrets.derive(from: epochSecret, crypto: crypto).secrets.confirmation,
            confirmed: context.confirmedTranscriptHash, crypto: crypto)
        let info = try GroupInfo(
            context: context, extensions: [Extension(.ratchetTree, data: tree.encoded)], confirmationTag: tag,
            signer: LeafIndex(0), signatureKey: signer, crypto: crypto)
        let welcome = try Welcome(
            groupInfo: info, joinerSecret: secrets.joinerSecret, memberSecret: memberSecret, psks: [],
            joiners: [(keyPackage, secrets.pathSecret)], crypto: crypto, entropy: entropy)
        return MLSMessage.welcome(welcome).encoded
    }
}

/// Unwraps a value that a sample group is known to have.
func value<T>(_ optional: T?) throws -> T {
    guard let optional else { throw Trouble("a sample group lacks what it should have") }
    return optional
}
