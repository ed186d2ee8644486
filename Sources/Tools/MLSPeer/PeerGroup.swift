import MLS

/// A key package with the private keys of its owner.
struct PeerKeyPackage {
    let bundle: KeyPackageBundle
    let signer: SignaturePrivateKey
}

/// The key of someone who proposes from outside groups.
struct PeerSigner {
    let key: SignaturePrivateKey
    let suite: CipherSuite
}

/// A group, and what its member keeps beside it.
struct PeerGroup {
    var group: Group
    let signer: SignaturePrivateKey
    /// Pre-shared keys that have been stored for it.
    var psks: [PSKSource: Secret] = [:]
    /// Our own commit that waits to be applied or cleared.
    var pendingCommit: StagedCommit?

    init(group: Group, signer: SignaturePrivateKey, psks: [PreSharedKey] = []) {
        self.group = group
        self.signer = signer
        for psk in psks { self.psks[psk.source] = psk.secret }
    }

    var knownPSKs: [PreSharedKey] { psks.map { PreSharedKey(source: $0.key, secret: $0.value) } }

    /// Runs `body` on a group that frames its messages as one request asks.
    mutating func framing<R>(as framing: Framing, _ body: (inout Group) throws -> R) rethrows -> R {
        let configuration = group.configuration
        defer { group.configuration = configuration }
        framing.apply(to: &group.configuration)
        return try body(&group)
    }

    /// What a message of another member means; the pending commit is recognized by its bytes.
    func process(_ message: [UInt8], now: UInt64) throws -> Incoming {
        if let pendingCommit, pendingCommit.message == message { return .commit(pendingCommit) }
        return try group.process(message, psks: knownPSKs, now: now)
    }

    /// Moves on to the next epoch, which drops a pending commit of our own.
    mutating func merge(_ staged: StagedCommit) throws {
        try group.merge(staged)
        pendingCommit = nil
    }
}

extension PeerGroup {
    /// The fields that every answer with a new group has.
    var description: Answer {
        [
            "epoch": PeerJSON(group.epoch),
            "epoch_authenticator": .hex(group.epochAuthenticator.unwipedCopy),
            "tree_hash": .hex(group.groupContext.treeHash),
            "leaf_index": PeerJSON(group.ownLeaf.value),
            "group_id": .hex(group.groupID),
        ]
    }
}

/// How one message is framed, if a request says so: `encrypt`, `aad` and `padding`.
struct Framing {
    let encrypt: Bool?
    let authenticatedData: [UInt8]
    /// In bytes.
    let padding: Int

    init(_ request: Request) throws {
        encrypt = try request.optionalBool("encrypt")
        authenticatedData = try request.optionalBytes("aad") ?? []
        padding = Int(try request.optionalInteger("padding", as: UInt32.self) ?? 0)
    }

    fileprivate func apply(to configuration: inout GroupConfiguration) {
        if let encrypt { configuration.handshakeEncryption = encrypt }
        configuration.padding = padding
    }
}
