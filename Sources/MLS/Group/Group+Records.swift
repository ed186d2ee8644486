extension Group {
    /// The records that changed since the last call, for the store; on a new group, all of them, with everything older
    /// deleted.
    ///
    /// The order of the result depends only on the state, so equal runs store equal bytes.
    /// - Parameter leavingProposalsInStore: whether proposals that do not wait for a commit of this member leave memory
    ///   with this call, which limits the memory that a flood of them takes. ``process(_:psks:now:stored:)`` must then
    ///   be given what is stored; ``restore(_:crypto:configuration:)`` does not need the records under
    ///   ``storedProposals``.
    public mutating func takeStateChanges(leavingProposalsInStore: Bool = false) -> [StateChange] {
        defer { if leavingProposalsInStore { proposals.leaveAsideInStore() } }
        switch journal.take() {
        case .everything:
            current.tree.markStored()
            return [.deletePrefix([])] + records().map { .put(key: $0.key, value: $0.value) }
        case .some(let touched, let closedEpochs, let closedAside):
            var changes: [StateChange] = closedEpochs.sorted().map { .deletePrefix(RecordKey.prefix(epoch: $0)) }
            if closedAside { changes.append(.deletePrefix(Self.storedProposals)) }
            for (key, record) in touched.map({ ($0.encoded, $0) }).sorted(by: { $0.0.lexicographicallyPrecedes($1.0) })
            {
                if let value = value(of: record) {
                    changes.append(.put(key: key, value: value))
                } else {
                    changes.append(.delete(key: key))
                }
            }
            return changes
        }
    }

    /// The key prefix of the records that are looked up one by one, see ``process(_:psks:now:stored:)``: proposals that
    /// do not wait for a commit of this member. In one epoch they are as many as its members send.
    package static let storedProposals: [UInt8] = [RecordKey.asideTag]

    /// The whole group as records, without what has been left in the store.
    package func records() -> [(key: [UInt8], value: [UInt8])] {
        var keys: [RecordKey] = [.state] + TreeBlock.all(in: current.tree.size).map { .tree($0) }
        keys += proposals.records
        keys += Self.keys(of: current.messageKeys.secretTree, epoch: epoch)
        for past in pastEpochs {
            keys.append(.pastEpoch(past.epoch))
            keys += Self.keys(of: past.messageKeys.secretTree, epoch: past.epoch)
        }
        var records: [(key: [UInt8], value: [UInt8])] = []
        for key in keys {
            if let value = value(of: key) { records.append((key.encoded, value)) }
        }
        return records.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    private static func keys(of secretTree: SecretTree, epoch: UInt64) -> [RecordKey] {
        secretTree.nodes.keys.map { .node(epoch, $0) } + secretTree.ratchets.keys.map { .ratchet(epoch, $0) }
            + secretTree.skipped.flatMap { id, keys in
                keys.map { .skipped(epoch, id, generation: $0.generation) }
            }
    }

    /// What to store under a key; nil if there is nothing (any more).
    private func value(of key: RecordKey) -> [UInt8]? {
        switch key {
        case .state: return StateRecord(self).encoded
        case .tree(let block): return current.tree.encoded(block)
        case .proposal(let number): return proposals[number].map { ProposalRecord($0).encoded }
        case .asideProposal(let reference):
            return proposals.asideInMemory(reference).map { ProposalRecord($0).encoded }
        case .asideMark: return proposals.hasAside ? [Self.asideVersion] : nil
        case .pastEpoch(let epoch):
            return pastEpochs.first { $0.epoch == epoch }.map { PastEpochRecord($0).encoded }
        case .node(let epoch, let index): return secretTree(ofEpoch: epoch)?.nodes[index].map { encoded($0) }
        case .ratchet(let epoch, let id):
            return secretTree(ofEpoch: epoch)?.ratchets[id].map { ratchet in
                var writer = TLSWriter(reservingCapacity: 4 + ratchet.secret.capacity)
                writer.write(ratchet.generation)
                writer.writeSecret(ratchet.secret)
                return writer.bytes
            }
        case .skipped(let epoch, let id, let generation):
            return secretTree(ofEpoch: epoch)?.skippedKey(of: id, generation: generation).map { key in
                encoded(key.key, key.nonce)
            }
        }
    }

    /// The form of the records of proposals that are aside.
    static let asideVersion: UInt8 = 1

    private func secretTree(ofEpoch epoch: UInt64) -> SecretTree? {
        if epoch == self.epoch { return current.messageKeys.secretTree }
        return pastEpochs.first { $0.epoch == epoch }?.messageKeys.secretTree
    }

    private func encoded(_ secrets: Secret...) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: secrets.reduce(0) { $0 + $1.capacity })
        for secret in secrets { writer.writeSecret(secret) }
        return writer.bytes
    }

    /// Restores a group from its records, in any order.
    ///
    /// The records come from one's own store: they are checked for completeness and form, but not authenticated.
    /// - Throws: `malformed`, `unsupported` for another format.
    public static func restore(
        _ records: [(key: [UInt8], value: [UInt8])], crypto: any SuiteCrypto,
        configuration: GroupConfiguration = .init()
    ) throws(MLSError) -> Group {
        var values: [RecordKey: [UInt8]] = [:]
        for record in records {
            let key = try RecordKey(decoding: record.key)
            if values.updateValue(record.value, forKey: key) != nil {
                throw MLSError(.malformed, "a record comes twice")
            }
        }
        do {
            return try GroupRestorer(values: values, crypto: crypto, configuration: configuration).restore()
        } catch  where error.code != .unsupported {
            throw MLSError(.malformed, error.reason)
        }
    }
}
