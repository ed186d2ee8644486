extension Group {
    /// A group with one member, in epoch 0 (RFC 9420 §11).
    ///
    /// - Throws: `invalidLeafNode` when the own leaf does not support the extensions; `malformed` when a type comes
    ///   twice; `tooLarge`.
    public static func create(
        groupID: [UInt8], crypto: any SuiteCrypto, credential: Credential, signer: SignaturePrivateKey,
        extensions: [Extension] = [], lifetime: Lifetime, leafExtensions: [Extension] = [],
        capabilities: Capabilities = Capabilities(),
        configuration: GroupConfiguration = .init(), entropy: any EntropySource
    ) throws(MLSError) -> Group {
        try extensions.checkForGroup()
        var profile = LeafNode.Profile(credential: credential, capabilities: capabilities, extensions: leafExtensions)
        if configuration.sendsGREASE { profile = profile.greased(from: entropy) }
        let leafKey = try crypto.generateHPKEKey(entropy)
        let leaf = try LeafNode(
            encryptionKey: leafKey.publicKey,
            profile: profile,
            source: .keyPackage(lifetime), placement: nil, signer: signer, crypto: crypto)
        try leaf.validateContent(crypto: crypto)
        try capabilities.checkOwnSupport(groupExtensions: extensions, orThrow: .invalidLeafNode)
        try configuration.checkLifetime(of: leaf)
        var tree = RatchetTree()
        let index = try tree.addLeaf(leaf)
        let context = GroupContext(
            suite: crypto.suite, groupID: groupID, epoch: 0, treeHash: tree.treeHash(crypto: crypto),
            confirmedTranscriptHash: [], extensions: extensions)
        let transition = EpochTransition(
            epochSecret: entropy.secret(crypto.suite.hashLength), context: context, crypto: crypto)
        let privateTree = PrivateTree(ownLeaf: index, leafKey: leafKey)
        return Group(
            configuration: configuration, crypto: crypto,
            current: transition.state(tree: tree, privateTree: privateTree, crypto: crypto))
    }
}
