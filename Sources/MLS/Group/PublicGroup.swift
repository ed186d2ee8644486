/// The ratchet tree and context of a GroupInfo, after all checks that need no secret (RFC 9420 §12.4.3.1).
struct PublicGroup {
    let info: GroupInfo
    let tree: RatchetTree

    /// - Parameter separateTree: the encoded ratchet tree, if it came separately; one inside the GroupInfo takes
    ///   precedence.
    /// - Throws: `invalidWelcome`, `invalidTree`, `invalidLeafNode`, `invalidSignature`, `unsupported`, `tooLarge`.
    init(
        _ info: GroupInfo, separateTree: [UInt8]?, configuration: GroupConfiguration, crypto: any SuiteCrypto
    ) throws(MLSError) {
        if info.context.suite != crypto.suite {
            throw MLSError(.invalidWelcome, "the GroupInfo is of another cipher suite")
        }
        try info.context.extensions.checkForGroup()
        guard let encodedTree = info.extensions[.ratchetTree] ?? separateTree else {
            throw MLSError(.invalidWelcome, "the ratchet tree is missing")
        }
        var tree = try RatchetTree(decoding: encodedTree)
        try tree.checkLength()
        if tree.treeHash(crypto: crypto) != info.context.treeHash {
            throw MLSError(.invalidTree, "the ratchet tree is not the one of the GroupInfo")
        }
        guard let signer = tree[info.signer] else {
            throw MLSError(.invalidWelcome, "the GroupInfo's signer has no leaf")
        }
        try info.verifySignature(publicKey: signer.signatureKey, crypto: crypto)
        for (_, leaf) in tree.members { try configuration.checkLifetime(of: leaf) }
        // The clock is ignored: a member that has not updated for long has not left.
        try tree.validate(
            groupID: info.context.groupID, extensions: info.context.extensions, now: nil, crypto: crypto)
        self.info = info
        self.tree = tree
    }
}
