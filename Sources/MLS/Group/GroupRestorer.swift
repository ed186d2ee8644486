/// Builds a group from its records, checking that they are complete and match each other.
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
        group.journal = .clean
        try restoreProposals(to: &group)
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
        // By ascending key, because skipped keys are kept in the order of their generations.
        let sorted = values.map { (key: $0.key.encoded, record: $0.key, value: $0.value) }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
        for (_, record, value) in sorted {
            guard let epoch = record.epoch else { continue }
            var reader = TLSReader(value)
            switch record {
            case .state, .tree, .proposal, .asideProposal, .asideMark, .pastEpoch: continue
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

    /// Puts the pending proposals into `group`, whose journal is clean.
    ///
    /// Earlier versions let more of them wait; those that would be aside now are stored as such with the next changes.
    private func restoreProposals(to group: inout Group) throws(MLSError) {
        let epoch = group.epoch
        var numbered: [(number: UInt32, proposal: PendingProposal)] = []
        var aside: [PendingProposal] = []
        for (key, value) in values {
            switch key {
            case .proposal(let number):
                numbered.append((number, try PendingProposal(decoding: value, epoch: epoch, crypto: crypto)))
            case .asideProposal(let reference):
                let proposal = try PendingProposal(decoding: value, epoch: epoch, crypto: crypto)
                if proposal.reference != reference { throw MLSError(.malformed, "a proposal under another's name") }
                aside.append(proposal)
            default: continue
            }
        }
        if let mark = values[.asideMark] {
            if mark != [Group.asideVersion] { throw MLSError(.unsupported, "another form of proposals") }
            group.proposals = ProposalCache(moreInStore: true)
        } else if !aside.isEmpty {
            throw MLSError(.malformed, "proposals are aside without their mark")
        }
        numbered.sort { $0.number < $1.number }
        for (number, proposal) in numbered {
            let changed = group.proposals.insert(
                proposal, isOwn: proposal.sender == group.ownLeaf, number: number)
            if changed.isEmpty { throw MLSError(.malformed, "a pending proposal comes twice") }
            if changed == [.proposal(number)] { continue }
            for record in changed + [.proposal(number)] { group.journal.touch(record) }
        }
        for proposal in aside { group.proposals.restore(aside: proposal) }
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
