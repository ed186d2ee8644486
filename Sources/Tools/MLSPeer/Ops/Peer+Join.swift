import MLS

/// create, join, external_join: the ways into a group.
extension Peer {
    mutating func create(_ request: Request) throws -> Answer {
        let crypto = try crypto(request)
        let extensions = try request.extensions("extensions")
        let configuration = try configuration(request)
        let signer = try crypto.generateSignatureKey(entropy)
        let group = try Group.create(
            groupID: try request.optionalBytes("group_id") ?? entropy.bytes(16), crypto: crypto,
            credential: .basic(identity: try request.bytes("identity")), signer: signer, extensions: extensions,
            lifetime: standardLifetime, capabilities: try Capabilities(toSupport: extensions),
            configuration: configuration, entropy: entropy)
        return insert(PeerGroup(group: group, signer: signer))
    }

    /// - Parameter predecessor: the group that the new one must continue.
    mutating func join(_ request: Request, predecessor: Group? = nil) throws -> Answer {
        let own = try keyPackages[try request.integer("kp")]
        let crypto = try provider.suite(own.bundle.keyPackage.cipherSuite)
        let psks = try request.psks()
        let joined = try Group.join(
            welcome: try request.bytes("welcome"), bundles: [own.bundle],
            ratchetTree: try request.optionalBytes("ratchet_tree"), psks: psks, predecessor: predecessor,
            crypto: crypto, configuration: try configuration(request), now: clock())
        return insert(PeerGroup(group: joined.group, signer: own.signer, psks: psks))
    }

    mutating func externalJoin(_ request: Request) throws -> Answer {
        let info = try request.groupInfo("group_info")
        let crypto = try provider.suite(info.context.suite)
        let signer = try crypto.generateSignatureKey(entropy)
        let psks = try request.psks()
        let staged = try Group.externalCommit(
            groupInfo: try request.bytes("group_info"), ratchetTree: try request.optionalBytes("ratchet_tree"),
            credential: .basic(identity: try request.bytes("identity")), signer: signer,
            removePrior: try request.bool("remove_prior", default: false),
            removing: try request.optionalInteger("remove_index").map { LeafIndex($0) },
            psks: psks, capabilities: try Capabilities(toSupport: info.context.extensions),
            crypto: crypto, configuration: try configuration(request), entropy: entropy)
        guard let group = staged.next else { throw PeerError("the commit leads nowhere") }
        return insert(PeerGroup(group: group, signer: signer, psks: psks)) + ["commit": .hex(staged.message)]
    }

    /// What a new group starts with, with `encrypt` taken into account.
    func configuration(_ request: Request) throws -> GroupConfiguration {
        var configuration = configuration
        configuration.handshakeEncryption = try request.bool("encrypt", default: false)
        return configuration
    }

    /// Keeps a new group, and describes it.
    mutating func insert(_ group: PeerGroup) -> Answer {
        let handle = newHandle()
        groups.insert(group, as: handle)
        return ["group": PeerJSON(handle)] + group.description
    }

    /// Lends the group that the request names.
    mutating func withGroup<R>(_ request: Request, _ body: (inout PeerGroup) throws -> R) throws -> R {
        try groups.update(try request.integer("group"), body)
    }

    func group(_ request: Request) throws -> PeerGroup { try groups[try request.integer("group")] }
}
