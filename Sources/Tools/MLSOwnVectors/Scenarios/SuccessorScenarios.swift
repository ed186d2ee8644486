import MLS

extension Scenario {
    /// The group ends and continues with another cipher suite.
    static let reInit = Scenario(name: "reinit") { stage in
        var stage = stage
        try stage.open()
        let crypto = try stage.provider.suite(stage.crypto.suite.partner)
        let parameters = ReInit(
            groupID: Array("a new group".utf8), cipherSuite: crypto.suite.identifier,
            extensions: [.requiredCapabilities(.init(credentials: [.basic]))])
        try stage.propose(.reInit(parameters), by: 1)
        try stage.commit(by: 0, forcePath: false)

        var next = Stage(crypto: crypto, provider: stage.provider, entropy: stage.entropy)
        let newcomers = try ["alice", "bob", "charlie"].map { try stage.newcomer($0, crypto: crypto) }
        let founded = try stage.clients[1].group.reinitialize(
            with: [newcomers[0].bundle.keyPackage, newcomers[2].bundle.keyPackage],
            credential: .basic(identity: Array("bob".utf8)), signer: newcomers[1].signer, lifetime: Stage.lifetime,
            crypto: crypto, now: nil, entropy: stage.entropy)
        next.clients = [.init(name: "bob", signer: newcomers[1].signer, group: founded.group)]
        try next.enter(newcomers[2], by: founded.welcome)
        try next.follow(newcomers[0], by: founded.welcome, from: stage.clients[0].group)
        try next.commit(by: 1)
        return try stage.finish(successors: [try next.finish()])
    }

    /// Two members branch off, and then again from a later epoch, while the group goes on.
    static let branch = Scenario(name: "branch") { stage in
        var stage = stage
        try stage.open()
        var branches: [PassiveClientCase] = []
        for round in 1...2 {
            var branch = Stage(crypto: stage.crypto, provider: stage.provider, entropy: stage.entropy)
            let alice = try stage.newcomer("alice")
            let charlie = try stage.newcomer("charlie")
            let founded = try stage.clients[0].group.branch(
                groupID: Array("branch \(round)".utf8), with: [charlie.bundle.keyPackage], signer: alice.signer,
                lifetime: Stage.lifetime, now: nil, entropy: stage.entropy)
            branch.clients = [.init(name: "alice", signer: alice.signer, group: founded.group)]
            try branch.enter(charlie, by: founded.welcome)
            try branch.commit(by: 0)
            branches.append(try branch.finish())
            try stage.commit(by: 1)
        }
        return try stage.finish(successors: branches)
    }
}

extension Stage {
    /// Another member follows from the old group.
    fileprivate mutating func follow(_ newcomer: Newcomer, by welcome: [UInt8]?, from old: Group) throws {
        guard let welcome else { throw MLSError(.invalidState, "no Welcome") }
        let joined = try Group.join(
            welcome: welcome, bundles: [newcomer.bundle], predecessor: old, crypto: crypto, now: nil)
        clients.append(.init(name: newcomer.name, signer: newcomer.signer, group: joined.group))
    }
}

extension CipherSuite {
    /// Another suite whose signatures are as deterministic as this one's.
    fileprivate var partner: CipherSuite {
        switch self {
        case .x25519_aes128gcm_sha256_ed25519: .x25519_chacha20poly1305_sha256_ed25519
        case .x25519_chacha20poly1305_sha256_ed25519: .x25519_aes128gcm_sha256_ed25519
        case .x448_aes256gcm_sha512_ed448: .x448_chacha20poly1305_sha512_ed448
        case .x448_chacha20poly1305_sha512_ed448: .x448_aes256gcm_sha512_ed448
        case .p256_aes128gcm_sha256_p256: .p521_aes256gcm_sha512_p521
        case .p521_aes256gcm_sha512_p521: .p384_aes256gcm_sha384_p384
        case .p384_aes256gcm_sha384_p384: .p256_aes128gcm_sha256_p256
        }
    }
}
