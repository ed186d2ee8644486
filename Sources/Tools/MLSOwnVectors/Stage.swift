import MLS

/// A group of clients that act, and one that only reads: the passive client, whose case this writes.
struct Stage {
    struct Client {
        let name: String
        let signer: SignaturePrivateKey
        var group: Group
    }

    typealias Newcomer = (name: String, signer: SignaturePrivateKey, bundle: KeyPackageBundle)

    static let lifetime = Lifetime(notBefore: 0, notAfter: 1 << 40)

    let crypto: any SuiteCrypto
    let provider: any CryptoProvider
    let entropy: VectorEntropy
    var clients: [Client] = []
    private var passive: Newcomer?
    private var start: (welcome: [UInt8], tree: [UInt8]?, authenticator: Secret)?
    private var proposals: [HexString] = []
    private var epochs: [PassiveClientCase.Epoch] = []
    private var psks: [PreSharedKey] = []

    init(_ suite: CipherSuite, provider: any CryptoProvider, seed: String) throws {
        self.provider = provider
        crypto = try provider.suite(suite)
        entropy = VectorEntropy(seed: seed, crypto: crypto)
    }

    /// A stage with a cast of its own, for a group that continues another one.
    init(crypto: any SuiteCrypto, provider: any CryptoProvider, entropy: VectorEntropy) {
        self.crypto = crypto
        self.provider = provider
        self.entropy = entropy
    }

    func newcomer(_ name: String, crypto other: (any SuiteCrypto)? = nil) throws -> Newcomer {
        let crypto = other ?? crypto
        let signer = try crypto.generateSignatureKey(entropy)
        let bundle = try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(name.utf8)), signer: signer, lifetime: Self.lifetime,
            sendsGREASE: true, entropy: entropy)
        return (name, signer, bundle)
    }

    /// Alice makes a group and adds Bob and the passive client.
    ///
    /// - Parameter inlineTree: whether the Welcome carries the ratchet tree.
    mutating func open(
        extensions: [Extension] = [], handshakeEncryption: Bool = false, inlineTree: Bool = true
    ) throws {
        var configuration = GroupConfiguration()
        configuration.sendsGREASE = true
        configuration.handshakeEncryption = handshakeEncryption
        configuration.acceptsNewMemberProposals = true
        let signer = try crypto.generateSignatureKey(entropy)
        var group = try Group.create(
            groupID: entropy.bytes(16), crypto: crypto, credential: .basic(identity: Array("alice".utf8)),
            signer: signer, extensions: extensions, lifetime: Self.lifetime, configuration: configuration,
            entropy: entropy)
        let bob = try newcomer("bob")
        let charlie = try newcomer("charlie")
        let staged = try group.commit(
            [.add(bob.bundle.keyPackage), .add(charlie.bundle.keyPackage)], inlineTree: inlineTree, signer: signer,
            now: nil, entropy: entropy)
        try group.merge(staged)
        clients = [Client(name: "alice", signer: signer, group: group)]
        try enter(charlie, by: staged.welcome, inlineTree: inlineTree)
        try join(bob, by: staged.welcome, configuration: configuration)
    }

    /// The passive client's first sight of the group, as the present members see it.
    mutating func enter(_ newcomer: Newcomer, by welcome: [UInt8]?, inlineTree: Bool = true) throws {
        guard let welcome, let group = clients.first?.group else { throw MLSError(.invalidState, "nobody is there") }
        passive = newcomer
        start = (welcome, inlineTree ? nil : group.ratchetTree, group.epochAuthenticator)
    }

    mutating func join(_ newcomer: Newcomer, by welcome: [UInt8]?, configuration: GroupConfiguration) throws {
        guard let welcome, let group = clients.first?.group else { throw MLSError(.invalidState, "nobody is there") }
        let joined = try Group.join(
            welcome: welcome, bundles: [newcomer.bundle], ratchetTree: group.ratchetTree, psks: psks,
            crypto: crypto, configuration: configuration, now: nil)
        clients.append(Client(name: newcomer.name, signer: newcomer.signer, group: joined.group))
    }

    /// A secret that all know, including the passive client.
    mutating func share(_ psk: PreSharedKey) { psks.append(psk) }

    func use(_ source: PSKSource) -> Proposal {
        .preSharedKey(PreSharedKeyID(source: source, suite: crypto.suite, entropy: entropy))
    }

    mutating func propose(_ proposal: Proposal, by author: Int) throws {
        deliver(
            proposal: try clients[author].group.propose(
                proposal, signer: clients[author].signer, now: nil, entropy: entropy))
        try hear(from: author)
    }

    mutating func proposeUpdate(by author: Int) throws {
        deliver(proposal: try clients[author].group.proposeUpdate(signer: clients[author].signer, entropy: entropy))
        try hear(from: author)
    }

    /// A proposal from outside.
    mutating func receive(_ proposal: [UInt8]) throws {
        deliver(proposal: proposal)
        try hear(from: nil)
    }

    private mutating func deliver(proposal: [UInt8]) { proposals.append(HexString(proposal)) }

    /// Everyone but its author stores the last proposal.
    private mutating func hear(from author: Int?) throws {
        guard let message = proposals.last?.bytes else { return }
        for index in clients.indices where index != author {
            guard case .proposal(let pending) = try clients[index].group.process(message, now: nil) else {
                throw MLSError(.malformed, "not a proposal")
            }
            try clients[index].group.storeProposal(pending)
        }
    }

    /// A client commits what is pending and more; everyone follows.
    @discardableResult
    mutating func commit(_ proposals: [Proposal] = [], by author: Int, forcePath: Bool = true) throws -> StagedCommit {
        let staged = try clients[author].group.commit(
            proposals, forcePath: forcePath, psks: psks, signer: clients[author].signer, now: nil, entropy: entropy)
        try take(staged, from: author)
        return staged
    }

    /// Everyone applies a commit, and the case gets one more epoch.
    mutating func take(_ staged: StagedCommit, from author: Int?) throws {
        for index in clients.indices {
            if index == author {
                try clients[index].group.merge(staged)
                continue
            }
            guard case .commit(let theirs) = try clients[index].group.process(staged.message, psks: psks, now: nil)
            else { throw MLSError(.malformed, "not a commit") }
            try clients[index].group.merge(theirs)
        }
        clients.removeAll { !$0.group.isActive }
        guard let next = staged.next else { throw MLSError(.invalidState, "a commit that leads nowhere") }
        epochs.append(
            .init(
                proposals: proposals, commit: HexString(staged.message),
                epoch_authenticator: HexString(next.epochAuthenticator.unwipedCopy)))
        proposals = []
    }

    func groupInfo() throws -> [UInt8] { try clients[0].group.groupInfo(signer: clients[0].signer) }

    /// The story so far, as the passive client's case.
    func finish(successors: [PassiveClientCase]? = nil) throws -> PassiveClientCase {
        guard let passive, let start else { throw MLSError(.invalidState, "no passive client") }
        var external: [PassiveClientCase.ExternalPSK] = []
        var resumption: [PassiveClientCase.ResumptionPSK] = []
        for psk in psks {
            let secret = HexString(psk.secret.unwipedCopy)
            switch psk.source {
            case .external(let id): external.append(.init(psk_id: HexString(id), psk: secret))
            case .resumption(_, let groupID, let epoch):
                resumption.append(.init(psk_group_id: HexString(groupID), psk_epoch: epoch, psk: secret))
            }
        }
        return PassiveClientCase(
            cipher_suite: crypto.suite.rawValue, external_psks: external,
            resumption_psks: resumption.isEmpty ? nil : resumption,
            key_package: HexString(passive.bundle.keyPackage.message),
            signature_priv: HexString(passive.signer.raw.unwipedCopy),
            encryption_priv: HexString(passive.bundle.encryptionKey.raw.unwipedCopy),
            init_priv: HexString(passive.bundle.initKey.raw.unwipedCopy), welcome: HexString(start.welcome),
            ratchet_tree: start.tree.map { HexString($0) },
            initial_epoch_authenticator: HexString(start.authenticator.unwipedCopy), epochs: epochs,
            successors: successors)
    }
}
