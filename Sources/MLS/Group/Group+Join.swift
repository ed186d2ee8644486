extension Group {
    /// Joins by a Welcome (RFC 9420 §12.4.3.1). The caller must check that the group is not joined already.
    ///
    /// - Parameters:
    ///   - welcome: MLSMessage.
    ///   - bundles: key packages of this client that the Welcome may be for.
    ///   - ratchetTree: the encoded tree, when the Welcome does not carry it.
    ///   - psks: secrets that the Welcome may call for: external ones, and resumption secrets of other groups
    ///     (``resumptionPSK(epoch:)``).
    ///   - predecessor: the group that this one must continue: the one that a ReInit has ended, or of which this one is
    ///     a branch. Without it a Welcome to such a group is refused, and with it any other.
    ///   - now: Unix seconds; the lifetime of the key package used is checked against it.
    /// - Returns: the group; which key package was used, so that its private keys can be deleted; and the tag of the
    ///   commit that added us.
    /// - Throws: `notForUs` when no bundle is meant; `unknownReference` for a PSK that is not known here, the
    ///   predecessor's among them; `credentialRefused`; else what is wrong with the Welcome.
    public static func join(
        welcome: [UInt8], bundles: [KeyPackageBundle], ratchetTree: [UInt8]? = nil, psks: [PreSharedKey] = [],
        predecessor: Group? = nil, crypto: any SuiteCrypto, configuration: GroupConfiguration = .init(), now: UInt64?
    ) throws(MLSError) -> (group: Group, usedKeyPackage: KeyPackageRef, confirmationTag: [UInt8]) {
        guard case .welcome(let welcome) = try MLSMessage(decoding: welcome) else {
            throw MLSError(.malformed, "not a Welcome")
        }
        if welcome.suite != crypto.suite { throw MLSError(.unsupported, "the Welcome is of another cipher suite") }
        let (entry, bundle) = try find(welcome, bundles, crypto: crypto)
        if let now { try bundle.keyPackage.leafNode.checkLifetime(now: now) }
        let secrets = try welcome.openGroupSecrets(entry, with: bundle.initKey, crypto: crypto)
        let predecessor = try Predecessor(predecessor, psks: secrets.psks)
        let memberSecret = KeySchedule.memberSecret(
            joinerSecret: secrets.joinerSecret,
            pskSecret: try PSKSecret.combine(
                try resolve(secrets.psks, given: psks, from: predecessor, crypto: crypto), crypto: crypto),
            crypto: crypto)
        let publicGroup = try PublicGroup(
            try welcome.openGroupInfo(memberSecret: memberSecret, crypto: crypto), separateTree: ratchetTree,
            configuration: configuration, crypto: crypto)
        try bundle.keyPackage.leafNode.capabilities.checkOwnSupport(
            groupExtensions: publicGroup.info.context.extensions, orThrow: .unsupported)
        try predecessor.check(publicGroup)
        try Authentication(configuration, context: publicGroup.info.context).check(publicGroup)

        let privateTree = try privateTree(publicGroup, bundle: bundle, pathSecret: secrets.pathSecret, crypto: crypto)
        let transition = EpochTransition(
            joinerSecret: secrets.joinerSecret, memberSecret: memberSecret, context: publicGroup.info.context,
            crypto: crypto)
        if !constantTimeEqual(transition.confirmationTag, publicGroup.info.confirmationTag) {
            throw MLSError(.invalidTag, "the confirmation tag of a GroupInfo")
        }
        var group = Group(
            configuration: configuration, crypto: crypto,
            current: transition.state(tree: publicGroup.tree, privateTree: privateTree, crypto: crypto))
        group.welcomer = publicGroup.info.signer
        return (group, entry.newMember, transition.confirmationTag)
    }

    private static func find(
        _ welcome: Welcome, _ bundles: [KeyPackageBundle], crypto: any SuiteCrypto
    ) throws(MLSError) -> (EncryptedGroupSecrets, KeyPackageBundle) {
        for bundle in bundles where bundle.keyPackage.cipherSuite == welcome.suite {
            let reference = bundle.keyPackage.ref(crypto: crypto)
            if let entry = welcome.secrets.first(where: { $0.newMember == reference }) { return (entry, bundle) }
        }
        throw MLSError(.notForUs, "the Welcome is for no key package of this client")
    }

    private static func resolve(
        _ ids: [PreSharedKeyID], given: [PreSharedKey], from predecessor: Predecessor, crypto: any SuiteCrypto
    ) throws(MLSError) -> [(id: PreSharedKeyID, secret: Secret)] {
        var resolved: [(id: PreSharedKeyID, secret: Secret)] = []
        for id in ids {
            if id.nonce.count != crypto.suite.hashLength {
                throw MLSError(.invalidWelcome, "a PSK nonce has \(id.nonce.count) bytes")
            }
            guard let secret = try predecessor.secret(for: id.source) ?? given.secret(for: id.source) else {
                throw MLSError(.unknownReference, "a PSK that is not known here")
            }
            resolved.append((id, secret))
        }
        return resolved
    }

    private static func privateTree(
        _ group: PublicGroup, bundle: KeyPackageBundle, pathSecret: Secret?, crypto: any SuiteCrypto
    ) throws(MLSError) -> PrivateTree {
        guard let ownLeaf = group.tree.members.first(where: { $0.1 == bundle.keyPackage.leafNode })?.0 else {
            throw MLSError(.invalidWelcome, "our leaf is not in the ratchet tree")
        }
        return try PrivateTree(
            ownLeaf: ownLeaf, leafKey: bundle.encryptionKey, pathSecret: pathSecret, from: group.info.signer,
            in: group.tree, crypto: crypto)
    }
}
