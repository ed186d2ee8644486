import MLS
import Testing

@testable import struct MLS.Group

/// RFC 9420 §12.2 (second list) and §12.4.3.2: commits of somebody who joins by them.
struct ExternalCommitRuleTests {
    private static func list(
        _ section: String, _ wrong: String, _ code: MLSError.Code,
        _ change: @escaping @Sendable (RuleScene, Proposal) throws -> [Proposal]
    ) -> Rule {
        Rule(section, wrong, code) { scene in
            let unchanged = scene
            try scene.process(try Intruder(scene).commit(scene) { try change(unchanged, $0) })
        }
    }

    private static let rules: [Rule] = [
        list("12.2", "no ExternalInit", .invalidProposal) { _, _ in [] },
        list("12.2", "two ExternalInits", .invalidProposal) { _, initial in [initial, initial] },
        list("12.2", "an Add", .invalidProposal) { scene, initial in [initial, .add(try scene.keyPackage())] },
        list("12.2", "an Update", .invalidProposal) { scene, initial in [initial, .update(try scene.leafNode())] },
        list("12.2", "extensions", .invalidProposal) { _, initial in [initial, .groupContextExtensions([])] },
        list("12.2", "a ReInit", .invalidProposal) { scene, initial in
            [initial, .reInit(ReInit(groupID: [1], cipherSuite: scene.crypto.suite.identifier, extensions: []))]
        },
        list("12.2", "two Removes", .invalidProposal) { _, initial in
            [initial, .remove(RuleScene.honest), .remove(RuleScene.other)]
        },
        list("12.2", "a Remove of somebody else", .invalidLeafNode) { _, initial in
            [initial, .remove(RuleScene.other)]
        },
        list("12.1.3", "a Remove of a blank leaf", .invalidProposal) { _, initial in
            [initial, .remove(LeafIndex(6))]
        },
        list("12.1.6", "an ExternalInit that does not open", .decryptionFailed) { _, _ in
            [.externalInit(kemOutput: [1])]
        },
        list("8.4", "a PSK that the victim does not have", .unknownReference) { scene, initial in
            [initial, .preSharedKey(.init(source: .external(id: [1]), nonce: scene.nonce))]
        },
        Rule(
            "12.4.3.2", "a proposal by reference", .invalidProposal,
            prepare: { scene in try scene.remember(try scene.forge(.remove(RuleScene.other))) }
        ) { scene in
            let reference = ProposalOrRef.reference(scene.victim.pendingProposals[0].reference)
            try scene.process(try Intruder(scene).commit(scene, references: [reference]) { [$0] })
        },
        Rule("12.4.3.2", "no path", .invalidCommit) { scene in
            try scene.process(
                try scene.forge(.commit(Commit(proposals: [], path: nil)), sender: .newMemberCommit))
        },
        Rule("12.4.3.2", "a signature of another key than the path's", .invalidSignature) { scene in
            try scene.process(try Intruder(scene).commit(scene, signer: scene.forgerSigner) { [$0] })
        },
        Rule("12.4.2", "a false confirmation tag", .invalidTag) { scene in
            try scene.process(try Intruder(scene).commit(scene, tag: { $0.map { $0 ^ 1 } }) { [$0] })
        },
        Rule("12.1.2", "the leaf key of the member it replaces", .invalidLeafNode) { scene in
            // Whoever replaces its older self must bring a new key, as in an Update.
            try scene.process(
                try Intruder(scene, as: RuleScene.forger).commit(scene, keepingKeyOf: RuleScene.forger) {
                    [$0, .remove(RuleScene.forger)]
                })
        },
        Rule("7.3", "the signature key of a member", .invalidLeafNode) { scene in
            var intruder = try Intruder(scene)
            intruder.signer = scene.world.clients[2].signer
            try scene.process(try intruder.commit(scene) { [$0] })
        },
    ]

    @Test(arguments: rules)
    func anExternalCommitThatBreaksItIsRefused(rule: Rule) throws { try rule.check() }

    @Test func theIntruderIsLetInWhereItKeepsTheRules() throws {
        let scene = try RuleScene()
        try scene.process(try Intruder(scene).commit(scene) { [$0] })
        try scene.process(
            try Intruder(scene, as: RuleScene.forger).commit(scene) { [$0, .remove(RuleScene.forger)] })
    }
}

/// Somebody outside with a GroupInfo, who keeps no rules.
struct Intruder {
    var signer: SignaturePrivateKey
    let credential: Credential
    private let group: PublicGroup
    private let externalInit: Proposal
    private let initSecret: Secret

    /// - Parameter member: whose name it gives.
    init(_ scene: RuleScene, as member: LeafIndex? = nil) throws {
        signer = try scene.crypto.generateSignatureKey(scene.entropy)
        credential = try member.map { try scene.leaf($0).credential } ?? .basic(identity: [5])
        let bytes = try scene.forger.groupInfo(signer: scene.forgerSigner)
        guard case .groupInfo(let info) = try MLSMessage(decoding: bytes) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        group = try PublicGroup(info, separateTree: nil, crypto: scene.crypto)
        let sent = try KeySchedule.sendExternalInit(
            to: try #require(try info.externalPub()), crypto: scene.crypto, entropy: scene.entropy)
        externalInit = .externalInit(kemOutput: sent.kemOutput)
        initSecret = sent.initSecret
    }

    /// - Parameters:
    ///   - other: signs the commit in the intruder's stead.
    ///   - kept: a leaf whose encryption key the intruder takes over.
    ///   - proposals: made of the right ExternalInit.
    func commit(
        _ scene: RuleScene, references: [ProposalOrRef] = [], signer other: SignaturePrivateKey? = nil,
        keepingKeyOf kept: LeafIndex? = nil, tag: ([UInt8]) -> [UInt8] = { $0 },
        _ proposals: (Proposal) throws -> [Proposal]
    ) throws -> [UInt8] {
        let crypto = scene.crypto
        let proposals = try proposals(externalInit)
        let draft = CommitDraft(
            listed: proposals.map { .proposal($0) } + references, baseContext: group.info.context,
            baseTranscript: TranscriptHash.interim(
                confirmed: group.info.context.confirmedTranscriptHash, confirmationTag: group.info.confirmationTag,
                crypto: crypto),
            sender: .newMemberCommit, authenticatedData: [], crypto: crypto, entropy: scene.entropy)
        let nothing = try ProposalList([], committer: LeafIndex(0), crypto: crypto)
        var applied = try AppliedProposals(
            nothing, to: group.tree, context: group.info.context, crypto: crypto, now: nil)
        for case .remove(let index) in proposals where applied.tree[index] != nil { try applied.tree.removeLeaf(index) }
        let place = try applied.tree.reserveLeaf()
        var path = try draft.makePath(
            in: &applied, from: place, profile: .init(credential: credential), signer: signer)
        if let kept {
            let leaf = try LeafNode(
                encryptionKey: scene.leaf(kept).encryptionKey, profile: .init(credential: credential),
                source: path.updatePath.leafNode.source,
                placement: .init(groupID: scene.victim.groupID, leafIndex: place), signer: signer, crypto: crypto)
            applied.tree.set(.leaf(leaf), at: place.node)
            applied.context.treeHash = applied.tree.treeHash(crypto: crypto)
            let sealed = try applied.tree.encryptUpdatePath(
                path.prepared, groupContext: applied.context.encoded, excluding: [], crypto: crypto,
                entropy: scene.entropy)
            path = .init(prepared: path.prepared, updatePath: UpdatePath(leafNode: leaf, nodes: sealed.nodes))
        }
        let finished = try draft.finish(
            applied, path: path, privateTree: path.prepared.privateTree, initSecret: initSecret, psks: [],
            as: .publicMessage, signer: other ?? signer)
        let confirmationTag = try #require(finished.commit.auth.confirmationTag)
        return try scene.world.protect(finished.commit.with(confirmationTag: tag(confirmationTag)))
    }
}
