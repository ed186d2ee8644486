import MLS
import MLSOpenSSL

/// Messages of every kind that clients send, made by the engine.
struct Corpus {
    struct Entry {
        let name: String
        let bytes: [UInt8]
    }

    let crypto: any SuiteCrypto
    private(set) var handshakes: [Entry] = []
    private(set) var groupInfos: [Entry] = []
    /// What is neither.
    private(set) var others: [Entry] = []
    let userID: [UInt8] = Array(0..<16)

    private let entropy = CountingEntropy()
    private let now: UInt64 = 1_800_000_000
    private let groupID: [UInt8] = Array("a group".utf8)
    private let signer: SignaturePrivateKey

    init() throws {
        crypto = try OpenSSLProvider().suite(.x25519_chacha20poly1305_sha256_ed25519)
        signer = try crypto.generateSignatureKey(entropy)
        let lifetime = Lifetime(notBefore: now - 3600, notAfter: now + 3600)
        var group = try MLS.Group.create(
            groupID: groupID, crypto: crypto, credential: .basic(identity: userID), signer: signer, lifetime: lifetime,
            entropy: entropy)
        let bob = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(16..<32)), signer: crypto.generateSignatureKey(entropy),
            lifetime: lifetime, entropy: entropy)
        let add = try group.commit([.add(bob.keyPackage)], signer: signer, now: now, entropy: entropy)
        let context = group
        handshakes.append(Entry(name: "a commit with an Add", bytes: add.message))
        if let welcome = add.welcome { others.append(Entry(name: "a Welcome", bytes: welcome)) }
        try group.merge(add)
        others.append(Entry(name: "a KeyPackage", bytes: MLSMessage.keyPackage(bob.keyPackage).encoded))
        others.append(
            Entry(
                name: "application data",
                bytes: try group.protect(Array("hello".utf8), signer: signer, entropy: entropy)))
        let info = try group.groupInfo(signer: signer)
        groupInfos = [
            Entry(name: "a GroupInfo", bytes: info),
            Entry(name: "a bare GroupInfo", bytes: try group.groupInfo(signer: signer, inlineTree: false)),
            Entry(name: "the GroupInfo of epoch 0", bytes: try context.groupInfo(signer: signer)),
        ]
        let join = try MLS.Group.externalCommit(
            groupInfo: info, credential: .basic(identity: userID), signer: crypto.generateSignatureKey(entropy),
            removePrior: true, crypto: crypto, entropy: entropy)
        handshakes.append(Entry(name: "an external commit", bytes: join.message))
        handshakes.append(
            Entry(name: "an Update", bytes: try group.proposeUpdate(signer: signer, entropy: entropy)))
        var sealed = group
        sealed.configuration.handshakeEncryption = true
        others.append(
            Entry(
                name: "a sealed commit",
                bytes: try sealed.commit([], signer: signer, now: now, entropy: entropy).message))
        try makeByHand(bob.keyPackage, add)
    }

    /// What the engine would not send, and other ways of putting messages together.
    private mutating func makeByHand(_ keyPackage: KeyPackage, _ staged: StagedCommit) throws {
        guard case .publicMessage(let message) = try MLSMessage(decoding: staged.message),
            case .commit(let commit) = message.content.body
        else { throw MLSError(.malformed, "no commit") }
        var odd = keyPackage.leafNode.profile
        odd.credential = .x509(chain: [[1, 2, 3], [UInt8](repeating: 4, count: 300)])
        let placement = LeafNode.Placement(groupID: groupID, leafIndex: LeafIndex(0))
        let key = try crypto.generateHPKEKey(entropy).publicKey
        let certified = try LeafNode(
            encryptionKey: key, profile: odd, source: .update, placement: placement, signer: signer, crypto: crypto)
        odd.credential = .other(type: CredentialType(0x0A0A), content: userID)
        let unknown = try LeafNode(
            encryptionKey: key, profile: odd, source: .commit(parentHash: [9]), placement: placement, signer: signer,
            crypto: crypto)
        let proposals: [Proposal] = [
            .add(keyPackage), .update(certified), .update(unknown), .remove(LeafIndex(7)),
            .preSharedKey(PreSharedKeyID(source: .external(id: [1, 2]), nonce: [3])),
            .preSharedKey(
                PreSharedKeyID(source: .resumption(.application, groupID: groupID, epoch: 5), nonce: [3])),
            .reInit(
                ReInit(groupID: [1], cipherSuite: crypto.suite.identifier, extensions: [Extension(.init(9), data: [1])])
            ),
            .externalInit(kemOutput: [5, 6]), .groupContextExtensions([Extension(.init(0xF000), data: [1, 2, 3])]),
        ]
        let senders: [Sender] = [.member(LeafIndex(7)), .external(3), .newMemberProposal, .newMemberCommit]
        for (number, proposal) in proposals.enumerated() {
            for sender in senders {
                try add("proposal \(number) of \(sender)", .proposal(proposal), by: sender)
                try add(
                    "commit of proposal \(number) by \(sender)",
                    .commit(Commit(proposals: [.proposal(proposal)], path: nil)), by: sender)
            }
        }
        let all = proposals.map(ProposalOrRef.proposal) + [.reference(ProposalRef([UInt8](repeating: 1, count: 32)))]
        for path in [
            nil, commit.path, UpdatePath(leafNode: certified, nodes: []), UpdatePath(leafNode: unknown, nodes: []),
        ] {
            try add("a commit of all", .commit(Commit(proposals: all, path: path)), by: .member(LeafIndex(1)))
            try add("a commit of none", .commit(Commit(proposals: [], path: path)), by: .newMemberCommit)
        }
        try add("readable data", .application([1, 2, 3]), by: .member(LeafIndex(0)), isHandshake: false)
    }

    private mutating func add(
        _ name: String, _ body: FramedContent.Body, by sender: Sender, isHandshake: Bool = true
    ) throws {
        let content = FramedContent(
            groupID: groupID, epoch: 0x0102_0304_0506_0708, sender: sender, authenticatedData: [7, 7], body: body)
        let authenticated = AuthenticatedContent(
            wireFormat: .publicMessage, content: content,
            auth: FramedContentAuthData(
                signature: [UInt8](repeating: 8, count: 64),
                confirmationTag: body.type == .commit ? Array("tag of \(name)".utf8) : nil))
        let message = PublicMessage(
            protecting: authenticated, membershipKey: Secret([1, 2, 3]), context: [], crypto: crypto)
        let entry = Entry(name: name, bytes: MLSMessage.publicMessage(message).encoded)
        if isHandshake { handshakes.append(entry) } else { others.append(entry) }
    }
}

/// Bytes that are all different from each other and the same in every run.
final class CountingEntropy: EntropySource {
    private let dice = Dice(seed: 5)

    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: dice.next() >> 32) } }
}
