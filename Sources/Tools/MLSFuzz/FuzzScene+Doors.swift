import MLS

/// What happens behind each door.
extension FuzzScene {
    func encodedTree() throws(MLSError) -> [UInt8] {
        guard case .groupInfo(let info) = try MLSMessage(decoding: victim.groupInfo(signer: signer)),
            let tree = info.extensions[.ratchetTree]
        else { throw MLSError(.invalidState, "no tree") }
        return tree
    }

    func validateTree(_ bytes: [UInt8]) throws {
        var tree = try RatchetTree(decoding: bytes)
        if tree.encoded != bytes { throw FuzzFinding("a tree writes back otherwise than it was read") }
        try tree.validate(groupID: victim.groupID, extensions: [], now: nil, crypto: crypto)
        var group = tree
        let place = try group.reserveLeaf()
        for leaf in [place] + tree.members.map(\.0).prefix(3) { _ = tree.filteredDirectPath(of: leaf) }
    }

    func join(_ bytes: [UInt8]) throws {
        let joined = try Group.join(welcome: bytes, bundles: [joiner], psks: [psk], crypto: crypto, now: Self.now)
        try live(joined.group, signer: joinerSigner)
    }

    func joinExternally(_ bytes: [UInt8]) throws {
        let staged = try Group.externalCommit(
            groupInfo: bytes, credential: .basic(identity: Array("erin".utf8)), signer: joinerSigner,
            removePrior: bytes.count % 2 == 0, psks: [psk], crypto: crypto, entropy: FuzzRandom(seed: 2))
        guard let next = staged.next else { throw FuzzFinding("an external commit that removes its author") }
        try live(next, signer: joinerSigner)
    }

    func handle(_ bytes: [UInt8]) throws {
        var group = victim
        _ = group.takeStateChanges()
        do {
            _ = try group.unprotect(bytes)
            if group.takeStateChanges().isEmpty { throw FuzzFinding("a message was opened and its key kept") }
            return
        } catch let error as MLSError {
            if !group.takeStateChanges().isEmpty { throw FuzzFinding("a message refused as \(error) left a trace") }
        }
        switch try group.process(bytes, psks: [psk], now: Self.now) {
        case .proposal(let pending):
            try group.storeProposal(pending)
            try live(group, signer: signer)
        case .commit(let staged):
            try take(StagedCommit(serialized: staged.serialized(), crypto: crypto), in: group)
        }
    }

    func takeStaged(_ bytes: [UInt8]) throws {
        try take(try StagedCommit(serialized: bytes, crypto: crypto), in: victim)
    }

    func restoreBundle(_ bytes: [UInt8]) throws {
        let bundle = try KeyPackageBundle(serialized: bytes, crypto: crypto)
        if bundle.serialized != bytes { throw FuzzFinding("a key package bundle is stored otherwise than it was read") }
        for welcome in welcomes.prefix(2) {
            attempt { _ = try Group.join(welcome: welcome, bundles: [bundle], psks: [psk], crypto: crypto, now: nil) }
        }
    }

    func joinSuccessor(_ bytes: [UInt8]) throws {
        do {
            try joinSuccessor(bytes, of: victim)
        } catch is MLSError {
            try joinSuccessor(bytes, of: ended)
        }
    }

    private func joinSuccessor(_ bytes: [UInt8], of predecessor: Group) throws {
        let joined = try Group.join(
            welcome: bytes, bundles: [successor], psks: [psk], predecessor: predecessor, crypto: crypto,
            now: Self.now)
        if joined.group.epoch != 1 { throw FuzzFinding("a group that goes on from another, in a later epoch") }
        _ = joined.group.records()
    }

    func proposeFromOutside(_ bytes: [UInt8]) throws {
        let messages = [
            try Group.newMemberProposal(
                joiner.keyPackage, groupInfo: bytes, signer: joinerSigner, crypto: crypto, now: Self.now),
            try Group.externalProposal(
                .remove(LeafIndex(3)), groupInfo: bytes, signer: joinerSigner, crypto: crypto, now: Self.now),
        ]
        for message in messages where try MLSMessage.summary(of: message).contentType != .proposal {
            throw FuzzFinding("a proposal that is none")
        }
    }

    private func take(_ staged: StagedCommit, in group: Group) throws {
        var group = group
        _ = group.takeStateChanges()
        try group.merge(staged)
        try live(group, signer: signer)
    }

    func restore(_ bytes: [UInt8]) throws {
        let records = try Self.records(bytes)
        var group = try Group.restore(records, crypto: crypto)
        if !group.takeStateChanges().isEmpty { throw FuzzFinding("a restored group wants to be stored") }
        try live(group, signer: signer)
    }

    /// Does with a group what a member does, and stores it. Nothing may trap, and what is stored must come back.
    private func live(_ group: Group, signer: SignaturePrivateKey) throws {
        let random = FuzzRandom(seed: 2)
        var group = group
        let records = group.records()
        let restored = try Group.restore(records, crypto: crypto, configuration: group.configuration)
        if restored.epochAuthenticator != group.epochAuthenticator { throw FuzzFinding("another group is restored") }
        if restored.records().map(\.value) != records.map(\.value) { throw FuzzFinding("other records are stored") }
        for message in messages.prefix(3) { attempt { _ = try group.unprotect(message) } }
        attempt { _ = try group.protect([1, 2, 3], signer: signer, entropy: random) }
        attempt { _ = try group.proposeUpdate(signer: signer, entropy: random) }
        attempt { _ = try group.groupInfo(signer: signer) }
        attempt { _ = try group.export(label: "fuzz", context: [], length: 32) }
        attempt {
            let staged = try group.commit([], psks: [psk], signer: signer, now: nil, entropy: random)
            try group.merge(staged)
        }
        _ = group.takeStateChanges()
    }

    /// Runs what may fail after a strange beginning, as long as it fails with an error.
    private func attempt(_ body: () throws -> Void) {
        do { try body() } catch {}
    }

    /// Records in the form that the door takes.
    func storedRecords() -> [UInt8] {
        var writer = TLSWriter()
        for record in victim.records() {
            writer.writeOpaque(record.key)
            writer.writeOpaque(record.value)
        }
        return writer.bytes
    }

    private static func records(_ bytes: [UInt8]) throws(MLSError) -> [(key: [UInt8], value: [UInt8])] {
        var reader = TLSReader(bytes)
        var records: [(key: [UInt8], value: [UInt8])] = []
        while !reader.isAtEnd { records.append((try reader.readOpaque(), try reader.readOpaque())) }
        return records
    }
}
