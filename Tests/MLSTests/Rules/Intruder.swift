import MLS
import Testing

@testable import struct MLS.Group

/// Someone outside with a GroupInfo, who follows no rules.
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
        group = try PublicGroup(info, separateTree: nil, configuration: .init(), crypto: scene.crypto)
        let sent = try KeySchedule.sendExternalInit(
            to: try #require(try info.externalPub()), crypto: scene.crypto, entropy: scene.entropy)
        externalInit = .externalInit(kemOutput: sent.kemOutput)
        initSecret = sent.initSecret
    }

    /// - Parameters:
    ///   - other: signs the commit in the intruder's place.
    ///   - kept: a leaf whose encryption key the intruder takes over.
    ///   - proposals: made from the right ExternalInit.
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
