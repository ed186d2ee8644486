/// Groups that continue another one, tied to it by a resumption PSK (RFC 9420 §11.2, §11.3).
extension Group {
    /// Makes the group that the ReInit of this one calls for, with all its members (RFC 9420 §11.2). Any member may do
    /// so.
    ///
    /// - Parameters:
    ///   - keyPackages: one for each other member of this group, fit for the new version and cipher suite.
    ///   - credential: this client's own, of the same client as in this group (see
    ///     ``AuthenticationService/clientIdentifier(of:)``).
    ///   - signer: of the new cipher suite.
    ///   - crypto: of the new cipher suite.
    ///   - psks: more keys to be mixed in, one PSK proposal each.
    ///   - now: Unix seconds; the lifetimes of the key packages are checked against it.
    /// - Returns: the new group in epoch 1, and the Welcome for the other members as MLSMessage (nil when there are
    ///   none). They join with ``join(welcome:bundles:ratchetTree:psks:predecessor:crypto:configuration:now:)``.
    /// - Throws: `invalidState` when no commit has ended this group, or for another suite than the ReInit names;
    ///   `unsupported` for a version that is not offered; `invalidKeyPackage` when the new members are not the old
    ///   ones; else as `commit`.
    public func reinitialize(
        with keyPackages: [KeyPackage], credential: Credential, signer: SignaturePrivateKey, lifetime: Lifetime,
        leafExtensions: [Extension] = [], capabilities: Capabilities = Capabilities(), inlineTree: Bool = true,
        psks: [PreSharedKey] = [], crypto: any SuiteCrypto, configuration: GroupConfiguration = .init(),
        now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> (group: Group, welcome: [UInt8]?) {
        _ = try ownSecrets()
        guard let reInit else { throw MLSError(.invalidState, "no ReInit has ended this group") }
        if reInit.version != .mls10 { throw MLSError(.unsupported, "protocol version \(reInit.version.rawValue)") }
        if reInit.cipherSuite != crypto.suite.identifier {
            throw MLSError(.invalidState, "the ReInit names cipher suite \(reInit.cipherSuite.rawValue)")
        }
        let clients = ([credential] + keyPackages.map(\.leafNode.credential)).map(clientIdentifier).counted
        if clients != members.map(\.credential).map(clientIdentifier).counted {
            throw MLSError(.invalidKeyPackage, "the members of the new group are not those of the old one")
        }
        let group = try Group.create(
            groupID: reInit.groupID, crypto: crypto, credential: credential, signer: signer,
            extensions: reInit.extensions, lifetime: lifetime, leafExtensions: leafExtensions,
            capabilities: capabilities, configuration: configuration, entropy: entropy)
        return try found(
            group, usage: .reinit, with: keyPackages, inlineTree: inlineTree, psks: psks, signer: signer, now: now,
            entropy: entropy)
    }

    /// Makes a new group of some of this one's members (RFC 9420 §11.3). This group continues unchanged.
    ///
    /// - Parameters:
    ///   - keyPackages: one for each other member of the new group.
    ///   - credential: this client's own, of the same client as in this group; as it is there when nil.
    ///   - extensions: of the new group; those of this one when nil.
    ///   - psks: more keys to be mixed in, one PSK proposal each.
    ///   - now: Unix seconds; the lifetimes of the key packages are checked against it.
    /// - Returns: the new group in epoch 1, and the Welcome for its other members as MLSMessage (nil when there are
    ///   none). They join with ``join(welcome:bundles:ratchetTree:psks:predecessor:crypto:configuration:now:)``.
    /// - Throws: `invalidKeyPackage` if someone would join who is not in this group; `invalidState` for this group's
    ///   own id; otherwise as `commit`.
    public func branch(
        groupID: [UInt8], with keyPackages: [KeyPackage], credential: Credential? = nil, signer: SignaturePrivateKey,
        extensions: [Extension]? = nil, lifetime: Lifetime, leafExtensions: [Extension] = [],
        capabilities: Capabilities = Capabilities(), inlineTree: Bool = true, psks: [PreSharedKey] = [],
        configuration: GroupConfiguration = .init(), now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> (group: Group, welcome: [UInt8]?) {
        guard let own = ownMember else { throw MLSError(.removed, "this member has been removed") }
        let credential = credential ?? own.credential
        let clients = ([credential] + keyPackages.map(\.leafNode.credential)).map(clientIdentifier).counted
        let old = members.map(\.credential).map(clientIdentifier).counted
        if clients.contains(where: { $0.value > old[$0.key, default: 0] }) {
            throw MLSError(.invalidKeyPackage, "a member of the new group is not in the old one")
        }
        if groupID == self.groupID { throw MLSError(.invalidState, "a branch under the name of the group itself") }
        let group = try Group.create(
            groupID: groupID, crypto: crypto, credential: credential, signer: signer,
            extensions: extensions ?? self.extensions, lifetime: lifetime, leafExtensions: leafExtensions,
            capabilities: capabilities, configuration: configuration, entropy: entropy)
        return try found(
            group, usage: .branch, with: keyPackages, inlineTree: inlineTree, psks: psks, signer: signer, now: now,
            entropy: entropy)
    }

    /// The commit that brings the members in, and with them the PSK that ties the group to this one.
    private func found(
        _ group: Group, usage: ResumptionUsage, with keyPackages: [KeyPackage], inlineTree: Bool,
        psks: [PreSharedKey], signer: SignaturePrivateKey, now: UInt64?, entropy: any EntropySource
    ) throws(MLSError) -> (group: Group, welcome: [UInt8]?) {
        let tie = PreSharedKey(
            source: .resumption(usage, groupID: groupID, epoch: epoch), secret: try ownSecrets().epoch.resumption)
        let all = [tie] + psks
        let ids = all.map { PreSharedKeyID(source: $0.source, suite: group.suite, entropy: entropy) }
        var group = group
        let staged = try group.commit(
            CommitRequest(
                proposals: keyPackages.map { .add($0) } + ids.map { .preSharedKey($0) }, includePending: false,
                forcePath: true, authenticatedData: [], inlineTree: inlineTree, psks: all, now: now,
                founding: usage),
            signer: signer, entropy: entropy)
        guard let next = staged.next else { throw MLSError(.invalidState, "the founder is not in its group") }
        return (next, staged.welcome)
    }

    private func clientIdentifier(_ credential: Credential) -> [UInt8] {
        configuration.authentication.clientIdentifier(of: credential)
    }
}
