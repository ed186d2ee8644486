import MLS

/// A group with a past, as seen by the member that is attacked, with everything its peers might send at this moment.
public struct FuzzScene: Sendable {
    let crypto: TransparentCrypto
    /// For setting the scene. An input that is tried gets its own, so that it does the same whatever came before.
    private let random = FuzzRandom(seed: 1)
    /// The member whose doors are tried; it knows the ``psk``, has pending proposals and a window of past epochs.
    private(set) var victim: Group
    let signer: SignaturePrivateKey
    let psk = PreSharedKey(source: .external(id: [7]), secret: Secret([1, 2, 3]))
    /// A client that is asked to join, and its key package.
    let joiner: KeyPackageBundle
    let joinerSigner: SignaturePrivateKey

    /// Messages for ``Group/process(_:psks:now:)`` and ``Group/unprotect(_:)``.
    private(set) var messages: [[UInt8]] = []
    private(set) var welcomes: [[UInt8]] = []
    private(set) var groupInfos: [[UInt8]] = []
    private(set) var stagedCommits: [[UInt8]] = []
    /// Welcomes to a branch of the group, and to the group after its ReInit.
    private(set) var successorWelcomes: [[UInt8]] = []
    /// The key package with which a member of the group is added to them.
    let successor: KeyPackageBundle
    /// The group as if a ReInit had ended it.
    private(set) var ended: Group

    private struct Peer {
        let signer: SignaturePrivateKey
        var group: Group
    }

    private var peers: [Peer] = []

    /// Five members; the third leaf has been emptied, the last one is unmerged.
    public init(hashesAreEqual: Bool) throws(MLSError) {
        crypto = TransparentCrypto(hashesAreEqual: hashesAreEqual)
        signer = try crypto.generateSignatureKey(random)
        joinerSigner = try crypto.generateSignatureKey(random)
        joiner = try Self.bundle("joiner", signer: joinerSigner, crypto: crypto, random: random)
        victim = try Group.create(
            groupID: [1, 2, 3], crypto: crypto, credential: .basic(identity: Array("victim".utf8)), signer: signer,
            extensions: [Self.senders(joinerSigner)], lifetime: Self.lifetime, entropy: random)
        victim.configuration.acceptsNewMemberProposals = true
        ended = victim
        successor = try Self.bundle(
            "erin", signer: try crypto.generateSignatureKey(random), crypto: crypto, random: random)
        for name in ["bob", "carol", "dave"] { try admit(name, forcePath: true) }
        // If all hashes are equal, a parent is linked to everyone who committed below it, and there may be only one.
        if !hashesAreEqual { for index in peers.indices { try commit([], by: index) } }
        try commit([.remove(LeafIndex(2))], by: hashesAreEqual ? nil : 0)
        try admit("erin", forcePath: true)
        try admit("frank", forcePath: false)
        try collectApplicationMessages()
        try collectProposals()
        try collectCommits()
        try collectFromOutside()
        try collectSuccessors()
    }

    /// The joiner may also propose from outside.
    private static func senders(_ signer: SignaturePrivateKey) -> Extension {
        .externalSenders([ExternalSender(signatureKey: signer.publicKey, credential: .basic(identity: [1]))])
    }

    static let now: UInt64 = 1_800_000_000
    private static let lifetime = Lifetime(notBefore: 0, notAfter: 1 << 40)

    private static func bundle(
        _ name: String, signer: SignaturePrivateKey, crypto: TransparentCrypto, random: FuzzRandom
    ) throws(MLSError) -> KeyPackageBundle {
        try KeyPackageBundle.generate(
            crypto: crypto, identity: .basic(identity: Array(name.utf8)), signer: signer, lifetime: lifetime,
            entropy: random)
    }

    // MARK: The past

    private mutating func admit(_ name: String, forcePath: Bool) throws(MLSError) {
        let signer = try crypto.generateSignatureKey(random)
        let bundle = try Self.bundle(name, signer: signer, crypto: crypto, random: random)
        var author = victim
        let staged = try author.commit(
            [.add(bundle.keyPackage)], forcePath: forcePath, signer: self.signer, now: nil, entropy: random)
        try deliver(staged, from: nil)
        guard let welcome = staged.welcome else { throw MLSError(.invalidState, "no Welcome") }
        peers.append(
            Peer(
                signer: signer,
                group: try Group.join(welcome: welcome, bundles: [bundle], crypto: crypto, now: nil).group))
    }

    /// - Parameter author: nil for the victim itself.
    private mutating func commit(_ proposals: [Proposal], by author: Int?) throws(MLSError) {
        var peer = author.map { peers[$0] } ?? Peer(signer: signer, group: victim)
        try deliver(
            try peer.group.commit(proposals, signer: peer.signer, now: nil, entropy: random), from: author)
    }

    private mutating func deliver(_ staged: StagedCommit, from author: Int?) throws(MLSError) {
        if author == nil { try victim.merge(staged) } else { try Self.follow(staged.message, &victim) }
        for index in peers.indices {
            if index == author {
                try peers[index].group.merge(staged)
            } else {
                try Self.follow(staged.message, &peers[index].group)
            }
        }
        peers.removeAll { !$0.group.isActive }
    }

    private static func follow(_ message: [UInt8], _ group: inout Group) throws(MLSError) {
        if case .commit(let staged) = try group.process(message, now: nil) { try group.merge(staged) }
    }

    // MARK: What peers may send now

    private mutating func collectApplicationMessages() throws(MLSError) {
        for index in peers.indices {
            for text in ["", "hello", String(repeating: "x", count: 300)] {
                messages.append(
                    try peers[index].group.protect(
                        Array(text.utf8), authenticatedData: [1], signer: peers[index].signer, entropy: random))
            }
        }
        // One of an epoch that is over.
        messages.append(try peers[0].group.protect([1], signer: peers[0].signer, entropy: random))
        try commit([], by: nil)
    }

    private mutating func collectProposals() throws(MLSError) {
        let nonce = random.bytes(crypto.suite.hashLength)
        let proposals: [Proposal] = [
            .add(joiner.keyPackage), .remove(LeafIndex(3)), .remove(victim.ownLeaf),
            .preSharedKey(.init(source: psk.source, nonce: nonce)),
            .preSharedKey(
                .init(source: .resumption(.application, groupID: victim.groupID, epoch: victim.epoch), nonce: nonce)),
            .groupContextExtensions([Extension(.requiredCapabilities, data: RequiredCapabilities().encoded)]),
            .reInit(ReInit(groupID: [9], cipherSuite: crypto.suite.identifier, extensions: [])),
        ]
        for encrypted in [false, true] {
            var peer = peers[0]
            peer.group.configuration.handshakeEncryption = encrypted
            for proposal in proposals {
                messages.append(try peer.group.propose(proposal, signer: peer.signer, now: nil, entropy: random))
            }
            messages.append(try peer.group.proposeUpdate(signer: peer.signer, entropy: random))
        }
        // Some are pending already, so that commits may refer to them.
        for index in [1, 2] {
            let update = try peers[index].group.proposeUpdate(signer: peers[index].signer, entropy: random)
            try remember(update, from: index)
        }
        let own = try victim.proposeUpdate(signer: signer, entropy: random)
        for index in peers.indices { try Self.remember(own, in: &peers[index].group) }
    }

    private mutating func remember(_ message: [UInt8], from author: Int) throws(MLSError) {
        try Self.remember(message, in: &victim)
        for index in peers.indices where index != author { try Self.remember(message, in: &peers[index].group) }
    }

    private static func remember(_ message: [UInt8], in group: inout Group) throws(MLSError) {
        if case .proposal(let pending) = try group.process(message, now: nil) { try group.storeProposal(pending) }
    }

    private mutating func collectCommits() throws(MLSError) {
        let nonce = random.bytes(crypto.suite.hashLength)
        let lists: [[Proposal]] = [
            [], [.add(joiner.keyPackage)], [.remove(LeafIndex(3))], [.remove(victim.ownLeaf)],
            [.preSharedKey(.init(source: psk.source, nonce: nonce)), .add(joiner.keyPackage)],
            [.groupContextExtensions([])],
        ]
        for (number, proposals) in (lists + lists).enumerated() {
            var peer = peers[0]
            peer.group.configuration.handshakeEncryption = number >= lists.count
            let staged = try peer.group.commit(
                proposals, includePending: number % 2 == 0, forcePath: number % 3 != 0, psks: [psk],
                signer: peer.signer, now: nil, entropy: random)
            messages.append(staged.message)
            if let welcome = staged.welcome { welcomes.append(welcome) }
            if let groupInfo = staged.groupInfo { groupInfos.append(groupInfo) }
            stagedCommits.append(staged.serialized())
        }
        var author = victim
        stagedCommits.append(
            try author.commit([.add(joiner.keyPackage)], signer: signer, now: nil, entropy: random).serialized())
    }

    private mutating func collectSuccessors() throws(MLSError) {
        let founder = try crypto.generateSignatureKey(random)
        let own = Credential.basic(identity: Array("victim".utf8))
        let branch = try victim.branch(
            groupID: [8], with: [successor.keyPackage], signer: founder, extensions: [], lifetime: Self.lifetime,
            now: nil, entropy: random)
        let reInit = ReInit(groupID: [9], cipherSuite: crypto.suite.identifier, extensions: [])
        var author = victim
        let last = try author.commit(
            [.reInit(reInit)], includePending: false, forcePath: false, signer: signer, now: nil, entropy: random)
        try author.merge(last)
        ended = author
        var keyPackages = [successor.keyPackage]
        for member in ended.members where ![own, successor.keyPackage.leafNode.credential].contains(member.credential) {
            let name = String(decoding: member.identity, as: UTF8.self)
            let signer = try crypto.generateSignatureKey(random)
            keyPackages.append(try Self.bundle(name, signer: signer, crypto: crypto, random: random).keyPackage)
        }
        let next = try ended.reinitialize(
            with: keyPackages, credential: own, signer: founder, lifetime: Self.lifetime, crypto: crypto, now: nil,
            entropy: random)
        successorWelcomes = [branch.welcome, next.welcome].compactMap { $0 }
    }

    private mutating func collectFromOutside() throws(MLSError) {
        let groupInfo = try peers[0].group.groupInfo(signer: peers[0].signer)
        groupInfos.append(groupInfo)
        messages += [
            try Group.externalProposal(
                .remove(LeafIndex(3)), groupInfo: groupInfo, signer: joinerSigner, crypto: crypto, now: nil),
            try Group.newMemberProposal(
                joiner.keyPackage, groupInfo: groupInfo, signer: joinerSigner, crypto: crypto, now: nil),
        ]
        for identity in ["joiner", "erin"] {
            let staged = try Group.externalCommit(
                groupInfo: groupInfo, credential: .basic(identity: Array(identity.utf8)), signer: joinerSigner,
                removePrior: true, psks: [psk], crypto: crypto, entropy: random)
            messages.append(staged.message)
            stagedCommits.append(staged.serialized())
        }
    }
}
