/// A GroupInfo judged from outside: which state of the group it shows, who signed it, and which commits were made for
/// that state.
///
/// The tree is checked against the signed context, and the signature against the signer's leaf. The other leaves are
/// not checked; that is left to
/// ``Group/externalCommit(groupInfo:ratchetTree:credential:signer:removePrior:removing:leafExtensions:authenticatedData:withGroupInfo:psks:capabilities:crypto:configuration:entropy:)``.
package struct OutsideView: Sendable {
    private let info: GroupInfo
    private let tree: RatchetTree
    private let crypto: any SuiteCrypto
    /// The member who signed it.
    package let signer: Member

    /// - Parameter groupInfo: as MLSMessage, with the ratchet tree inside.
    /// - Throws: `malformed`, `tooLarge`, `invalidWelcome`, `invalidTree`, `invalidSignature`, `unsupported`.
    package init(groupInfo: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        guard case .groupInfo(let info) = try MLSMessage(decoding: groupInfo) else {
            throw MLSError(.malformed, "not a GroupInfo")
        }
        if info.context.suite != crypto.suite {
            throw MLSError(.invalidWelcome, "the GroupInfo is of another cipher suite")
        }
        guard let encodedTree = info.extensions[.ratchetTree] else {
            throw MLSError(.invalidWelcome, "the ratchet tree is missing")
        }
        var tree = try RatchetTree(decoding: encodedTree)
        try tree.checkLength()
        if tree.treeHash(crypto: crypto) != info.context.treeHash {
            throw MLSError(.invalidTree, "the ratchet tree is not the one of the GroupInfo")
        }
        guard let leaf = tree[info.signer] else {
            throw MLSError(.invalidWelcome, "the GroupInfo's signer has no leaf")
        }
        try info.verifySignature(publicKey: leaf.signatureKey, crypto: crypto)
        self.info = info
        self.tree = tree
        self.crypto = crypto
        signer = Member(leaf, at: info.signer)
    }

    package var groupID: [UInt8] { info.context.groupID }
    package var epoch: UInt64 { info.context.epoch }
    /// The tag of the commit that began the epoch.
    package var confirmationTag: [UInt8] { info.confirmationTag }
    /// The encryption keys of all leaves, by rising leaf.
    package var leafKeys: [[UInt8]] { tree.members.map { $0.1.encryptionKey } }

    /// Whether a commit was signed for this very state of the group by a member of it, or by someone who joins from
    /// outside.
    ///
    /// The signature covers the GroupContext, and with it all commits before (RFC 9420 §6.1): no other branch of the
    /// group has the same. This does not say that members accept the commit.
    ///
    /// - Parameter commit: a PublicMessage as MLSMessage.
    package func hasCommit(_ commit: [UInt8]) -> Bool {
        guard case .publicMessage(let message)? = try? MLSMessage(decoding: commit),
            message.content.groupID == groupID, message.content.epoch == epoch,
            case .commit(let body) = message.content.body
        else { return false }
        let key: [UInt8]?
        switch message.content.sender {
        case .member(let index): key = tree[index]?.signatureKey
        case .newMemberCommit: key = body.path?.leafNode.signatureKey
        case .external, .newMemberProposal: key = nil
        }
        guard let key else { return false }
        let content = AuthenticatedContent(wireFormat: .publicMessage, content: message.content, auth: message.auth)
        do throws(MLSError) {
            try content.verifySignature(publicKey: key, context: info.context.encoded, crypto: crypto)
            return true
        } catch {
            return false
        }
    }
}
