import MLS

extension Scenario {
    /// External PSKs, resumption PSKs of this and of another group, by value and by reference.
    static let psks = Scenario(name: "psks") { stage in
        var stage = stage
        try stage.open(inlineTree: false)
        let external = PSKSource.external(id: Array("an external PSK".utf8))
        stage.share(PreSharedKey(source: external, secret: stage.entropy.secret(32)))
        let foreign = PSKSource.resumption(.application, groupID: Array("another group".utf8), epoch: 7)
        stage.share(PreSharedKey(source: foreign, secret: stage.entropy.secret(stage.crypto.suite.hashLength)))
        let groupID = stage.clients[0].group.groupID

        try stage.commit([stage.use(external)], by: 0, forcePath: false)
        try stage.propose(stage.use(.resumption(.application, groupID: groupID, epoch: 1)), by: 1)
        try stage.propose(stage.use(external), by: 1)
        try stage.commit([stage.use(foreign)], by: 0)
        try stage.commit(
            [stage.use(.resumption(.application, groupID: groupID, epoch: 3)), stage.use(external)], by: 1,
            forcePath: false)
        return try stage.finish()
    }

    /// Proposals and commits as PrivateMessages, several by one sender in one epoch.
    static let privateHandshakes = Scenario(name: "private-handshakes") { stage in
        var stage = stage
        try stage.open(handshakeEncryption: true)
        try stage.proposeUpdate(by: 1)
        try stage.propose(.add(try stage.newcomer("dave").bundle.keyPackage), by: 1)
        try stage.propose(.add(try stage.newcomer("erin").bundle.keyPackage), by: 0)
        try stage.commit(by: 0)
        try stage.propose(.remove(LeafIndex(3)), by: 0)
        try stage.commit(by: 1)
        try stage.commit(by: 0)
        return try stage.finish()
    }

    /// Someone joins by an external commit with PSKs, and later comes back by another one that removes their older
    /// self.
    static let externalCommits = Scenario(name: "external-commits") { stage in
        var stage = stage
        try stage.open()
        let psk = PreSharedKey(source: .external(id: Array("a PSK".utf8)), secret: stage.entropy.secret(32))
        stage.share(psk)
        let credential = Credential.basic(identity: Array("dave".utf8))
        var proof: [PreSharedKey] = []
        for removePrior in [false, true] {
            let signer = try stage.crypto.generateSignatureKey(stage.entropy)
            let staged = try Group.externalCommit(
                groupInfo: try stage.groupInfo(), credential: credential, signer: signer, removePrior: removePrior,
                psks: [psk] + proof, crypto: stage.crypto, entropy: stage.entropy)
            try stage.take(staged, from: nil)
            guard let group = staged.next else { throw MLSError(.invalidState, "an external commit leads nowhere") }
            // It was a member in this epoch, and proves it when it comes back.
            proof = [try group.resumptionPSK()]
            stage.clients.append(.init(name: "dave", signer: signer, group: group))
            try stage.commit(by: stage.clients.count - 1)
        }
        return try stage.finish()
    }

    /// A service outside the group proposes everything it may.
    static let externalSenders = Scenario(name: "external-senders") { stage in
        var stage = stage
        let signer = try stage.crypto.generateSignatureKey(stage.entropy)
        let other = try stage.crypto.generateSignatureKey(stage.entropy)
        let senders = [other, signer].map {
            ExternalSender(signatureKey: $0.publicKey, credential: .basic(identity: Array("a service".utf8)))
        }
        try stage.open(extensions: [.externalSenders(senders)])
        let source = PSKSource.external(id: Array("a PSK".utf8))
        stage.share(PreSharedKey(source: source, secret: stage.entropy.secret(32)))
        func propose(_ proposals: [Proposal]) throws {
            for proposal in proposals {
                try stage.receive(
                    try Group.externalProposal(
                        proposal, groupInfo: try stage.groupInfo(), signer: signer, crypto: stage.crypto,
                        now: nil))
            }
        }
        try propose([.add(try stage.newcomer("dave").bundle.keyPackage), stage.use(source)])
        try stage.commit(by: 0, forcePath: false)
        try propose([
            .remove(LeafIndex(3)),
            .groupContextExtensions([
                .externalSenders([senders[1]]), .requiredCapabilities(.init(credentials: [.basic])),
            ]),
        ])
        try stage.commit(by: 1)
        try propose([
            .reInit(
                ReInit(
                    groupID: Array("a new group".utf8), cipherSuite: stage.crypto.suite.identifier, extensions: []))
        ])
        try stage.commit(by: 0, forcePath: false)
        return try stage.finish()
    }

    /// Strangers propose their own Add.
    static let newMemberProposals = Scenario(name: "new-member-proposals") { stage in
        var stage = stage
        try stage.open()
        for name in ["dave", "erin"] {
            let newcomer = try stage.newcomer(name)
            try stage.receive(
                try Group.newMemberProposal(
                    newcomer.bundle.keyPackage, groupInfo: try stage.groupInfo(), signer: newcomer.signer,
                    crypto: stage.crypto, now: nil))
            let staged = try stage.commit(by: 0, forcePath: false)
            try stage.join(newcomer, by: staged.welcome, configuration: stage.clients[0].group.configuration)
        }
        try stage.commit(by: 3)
        return try stage.finish()
    }
}
