/// Puts a group together from its records, checking that they are whole and fit each other.
struct GroupRestorer {
    let values: [RecordKey: [UInt8]]
    let crypto: any SuiteCrypto
    let configuration: GroupConfiguration

    func restore() throws(MLSError) -> Group {
        let state = try StateRecord(decoding: require(.state), crypto: crypto)
        let tree = try tree(state)
        let epoch = state.context.epoch

        var secretTrees = [epoch: SecretTree(size: tree.size)]
        var heads: [UInt64: PastEpochRecord] = [:]
        for (key, value) in values {
            guard case .pastEpoch(let past) = key else { continue }
            if past >= epoch { throw MLSError(.malformed, "a past epoch that is not past") }
            let head = try PastEpochRecord(decoding: value)
            let size = TreeSize(leaves: head.leafCount)
            if size.leafCount != head.leafCount || head.leafCount > Limits.leaves {
                throw MLSError(.malformed, "a past epoch of \(head.leafCount) leaves")
            }
            heads[past] = head
            secretTrees[past] = SecretTree(size: size)
        }
        try fill(&secretTrees)

        if let privateTree = state.own?.privateTree {
            guard privateTree.ownLeaf == state.ownLeaf,
                tree[state.ownLeaf]?.encryptionKey == privateTree.leafKey.publicKey
            else { throw MLSError(.malformed, "the private keys do not fit the tree") }
        }
        guard let keys = secretTrees[epoch] else { throw MLSError(.malformed, "the present epoch has no keys") }
        var group = Group(
            configuration: configuration, crypto: crypto,
            current: EpochState(
                restoring: state, tree: tree, messageKeys: MessageKeys(senderData: state.senderData, secretTree: keys),
                crypto: crypto),
            successor: state.successor)
        for (past, head) in heads.sorted(by: { $0.key < $1.key }) {
            guard let keys = secretTrees[past] else { continue }
            group.pastEpochs.append(
                PastEpoch(
                    epoch: past, encodedContext: head.encodedContext,
                    messageKeys: MessageKeys(senderData: head.senderData, secretTree: keys),
                    resumption: head.resumption, replaced: head.replaced))
        }
        group.proposals = try proposals(epoch: epoch)
        group.journal = .clean
        return group
    }

    private func tree(_ state: StateRecord) throws(MLSError) -> RatchetTree {
        var blocks: [TreeBlock: [UInt8]] = [:]
        for case (.tree(let block), let value) in values { blocks[block] = value }
        let tree = try RatchetTree(blocks: blocks)
        if tree.filledNodes != state.filledNodes { throw MLSError(.malformed, "a part of the tree is missing") }
        return tree
    }

    private func require(_ key: RecordKey) throws(MLSError) -> [UInt8] {
        guard let value = values[key] else { throw MLSError(.malformed, "a record is missing") }
        return value
    }

    private func fill(_ secretTrees: inout [UInt64: SecretTree]) throws(MLSError) {
        let hashLength = crypto.suite.hashLength
        // By rising key, as the keys that were passed over are kept in the order of their generations.
        let sorted = values.map { (key: $0.key.encoded, record: $0.key, value: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (_, record, value) in sorted {
            guard let epoch = record.epoch else { continue }
            var reader = TLSReader(value)
            switch record {
            case .state, .tree, .proposal, .pastEpoch: continue
            case .node(_, let index):
                let secret = try readSecret(&reader, length: hashLength)
                try insert(epoch, &secretTrees) { $0.restore(node: index, secret: secret) }
            case .ratchet(_, let id):
                let generation: UInt32 = try reader.read()
                let ratchet = SecretTree.Ratchet(
                    generation: generation, secret: try readSecret(&reader, length: hashLength))
                try insert(epoch, &secretTrees) { $0.restore(ratchet, of: id) }
            case .skipped(_, let id, let generation):
                let key = SecretTree.MessageKey(
                    generation: generation, key: try readSecret(&reader, length: crypto.suite.aeadKeyLength),
                    nonce: try readSecret(&reader, length: crypto.suite.aeadNonceLength))
                try insert(epoch, &secretTrees) { $0.restore(key, of: id) }
            }
            try reader.expectEnd()
        }
    }

    private func insert(
        _ epoch: UInt64, _ secretTrees: inout [UInt64: SecretTree], _ body: (inout SecretTree) -> Bool
    ) throws(MLSError) {
        guard var tree = secretTrees.removeValue(forKey: epoch) else {
            throw MLSError(.malformed, "message keys of an epoch that is not there")
        }
        let fits = body(&tree)
        secretTrees[epoch] = tree
        if !fits { throw MLSError(.malformed, "a message key that does not fit its epoch") }
    }

    private func readSecret(_ reader: inout TLSReader, length: Int) throws(MLSError) -> Secret {
        let secret = try reader.readSecret()
        if secret.count != length { throw MLSError(.malformed, "a stored secret has \(secret.count) bytes") }
        return secret
    }

    private func proposals(epoch: UInt64) throws(MLSError) -> ProposalCache {
        var numbered: [(UInt32, ProposalRecord)] = []
        for (key, value) in values {
            if case .proposal(let number) = key { numbered.append((number, try ProposalRecord(decoding: value))) }
        }
        numbered.sort { $0.0 < $1.0 }
        var cache = ProposalCache()
        for (number, record) in numbered {
            var updateKey: HPKEPrivateKey?
            if let raw = record.updateKey { updateKey = try crypto.hpkeKey(raw: raw) }
            let pending = PendingProposal(
                proposal: record.proposal, origin: record.origin, reference: record.reference, epoch: epoch,
                updateKey: updateKey, sealedWith: nil)
            if try cache.insert(pending) != number {
                throw MLSError(.malformed, "the numbers of the pending proposals have gaps")
            }
        }
        return cache
    }
}

extension EpochState {
    fileprivate init(
        restoring record: StateRecord, tree: RatchetTree, messageKeys: MessageKeys, crypto: any SuiteCrypto
    ) {
        context = record.context
        encodedContext = record.context.encoded
        ownLeaf = record.ownLeaf
        self.tree = tree
        confirmationTag = record.confirmationTag
        interimTranscriptHash = TranscriptHash.interim(
            confirmed: record.context.confirmedTranscriptHash, confirmationTag: record.confirmationTag, crypto: crypto)
        epochAuthenticator = record.epochAuthenticator
        self.messageKeys = messageKeys
        own = record.own
    }
}
