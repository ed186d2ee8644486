/// The keys of all messages of one epoch: a tree of secrets whose leaves feed two hash ratchets for each member (RFC
/// 9420 §9).
///
/// A secret is deleted as soon as what is derived from it exists. Consuming a key happens in two steps:
/// ``key(for:generation:crypto:)`` computes a ``Step`` and changes nothing, and ``apply(_:)`` applies it. So a message
/// that does not open costs no key, and a step is also the list of stored records that change.
package struct SecretTree: Sendable {
    /// The two ratchets of a member.
    package enum Kind: UInt8, Hashable, Sendable {
        case handshake = 0
        case application = 1
    }

    package struct RatchetID: Hashable, Sendable {
        package let leaf: LeafIndex
        package let kind: Kind

        package init(leaf: LeafIndex, kind: Kind) {
            self.leaf = leaf
            self.kind = kind
        }
    }

    /// A ratchet secret, and the generation that it makes the key of.
    package struct Ratchet: Sendable {
        package let generation: UInt32
        package let secret: Secret
    }

    package struct MessageKey: Sendable {
        package let generation: UInt32
        package let key: Secret
        package let nonce: Secret
    }

    /// What consuming one key changes.
    package struct Step: Sendable {
        package let id: RatchetID
        package let messageKey: MessageKey
        fileprivate(set) var consumedNodes: [NodeIndex] = []
        fileprivate(set) var newNodes: [(index: NodeIndex, secret: Secret)] = []
        fileprivate(set) var ratchets: [(id: RatchetID, ratchet: Ratchet)] = []
        fileprivate(set) var newSkipped: [MessageKey] = []
        fileprivate(set) var droppedSkipped: [UInt32] = []

        /// The same, leaving no key of a handshake message behind: the step to use in an epoch that is over.
        var withoutHandshakeKeys: Step {
            var step = self
            step.ratchets.removeAll { $0.id.kind == .handshake }
            if id.kind == .handshake { step.newSkipped = [] }
            return step
        }
    }

    let size: TreeSize
    /// Secrets of subtrees from which no message has been seen yet.
    private(set) var nodes: [NodeIndex: Secret] = [:]
    private(set) var ratchets: [RatchetID: Ratchet] = [:]
    /// Skipped keys, in ascending order of generations.
    private(set) var skipped: [RatchetID: [MessageKey]] = [:]

    package init(size: TreeSize, encryptionSecret: Secret) {
        self.size = size
        if let root = size.root { nodes[root] = encryptionSecret }
    }

    /// A tree without secrets, to be filled from records.
    init(size: TreeSize) {
        self.size = size
    }

    /// The key of one's own next message.
    package func nextKey(for id: RatchetID, crypto: any SuiteCrypto) throws(MLSError) -> Step {
        let generation = ratchets[id]?.generation ?? 0
        return try key(for: id, generation: generation, crypto: crypto)
    }

    /// The key of a received message.
    ///
    /// - Throws: `generationReused`, `generationTooFarAhead`.
    package func key(for id: RatchetID, generation: UInt32, crypto: any SuiteCrypto) throws(MLSError) -> Step {
        if let ratchet = ratchets[id] {
            if generation < ratchet.generation { return try skippedKey(for: id, generation: generation) }
            return try advance(ratchet, to: generation, id: id, crypto: crypto, descent: nil)
        }
        let descent = try descend(to: id.leaf, crypto: crypto)
        let first = id.kind == .handshake ? descent.handshake : descent.application
        return try advance(first, to: generation, id: id, crypto: crypto, descent: descent)
    }

    package mutating func apply(_ step: Step) {
        for index in step.consumedNodes { nodes[index] = nil }
        for node in step.newNodes { nodes[node.index] = node.secret }
        for entry in step.ratchets { ratchets[entry.id] = entry.ratchet }
        if !step.droppedSkipped.isEmpty {
            let dropped = Set(step.droppedSkipped)
            skipped[step.id]?.removeAll { dropped.contains($0.generation) }
        }
        if !step.newSkipped.isEmpty { skipped[step.id, default: []].append(contentsOf: step.newSkipped) }
        if skipped[step.id]?.isEmpty == true { skipped[step.id] = nil }
    }

    /// A skipped key that is still there.
    func skippedKey(of id: RatchetID, generation: UInt32) -> MessageKey? {
        guard let keys = skipped[id] else { return nil }
        var (low, high) = (0, keys.count)
        while low < high {
            let middle = (low + high) / 2
            if keys[middle].generation < generation { low = middle + 1 } else { high = middle }
        }
        return low < keys.count && keys[low].generation == generation ? keys[low] : nil
    }

    /// Forgets the keys of handshake messages, which no one opens once their epoch is over.
    mutating func dropHandshakeKeys() -> [RatchetID: [UInt32]] {
        var dropped: [RatchetID: [UInt32]] = [:]
        for id in ratchets.keys where id.kind == .handshake {
            dropped[id] = skipped.removeValue(forKey: id)?.map(\.generation) ?? []
        }
        for id in dropped.keys { ratchets[id] = nil }
        return dropped
    }

    private func skippedKey(for id: RatchetID, generation: UInt32) throws(MLSError) -> Step {
        guard let key = skippedKey(of: id, generation: generation) else {
            throw MLSError(.generationReused, "generation \(generation) of \(id.leaf)")
        }
        var step = Step(id: id, messageKey: key)
        step.droppedSkipped = [generation]
        return step
    }

    private func advance(
        _ ratchet: Ratchet, to generation: UInt32, id: RatchetID, crypto: any SuiteCrypto, descent: Descent?
    ) throws(MLSError) -> Step {
        // Check the distance first: it cannot overflow, as the generation is not below the ratchet's. The last
        // generation is never used, so the one after the next always exists.
        let distance = generation - ratchet.generation
        if distance > Limits.forwardGenerations || generation == .max {
            throw MLSError(.generationTooFarAhead, "generation \(generation) of \(id.leaf)")
        }
        var current = ratchet
        var passed: [MessageKey] = []
        passed.reserveCapacity(Int(distance))
        while current.generation < generation {
            passed.append(current.messageKey(crypto))
            current = current.next(crypto)
        }
        var step = Step(id: id, messageKey: current.messageKey(crypto))
        if let descent {
            step.consumedNodes = descent.consumed
            step.newNodes = descent.siblings
            let other: Kind = id.kind == .handshake ? .application : .handshake
            let untouched = other == .handshake ? descent.handshake : descent.application
            step.ratchets.append((RatchetID(leaf: id.leaf, kind: other), untouched))
        }
        step.ratchets.append((id, current.next(crypto)))
        step.newSkipped = passed
        let kept = skipped[id] ?? []
        let excess = kept.count + passed.count - Limits.skippedKeys
        if excess > 0 { step.droppedSkipped = kept.prefix(excess).map(\.generation) }
        return step
    }

    /// What the way from the deepest remaining ancestor down to a leaf consumes and leaves behind.
    private struct Descent {
        var consumed: [NodeIndex] = []
        var siblings: [(index: NodeIndex, secret: Secret)] = []
        let handshake: Ratchet
        let application: Ratchet
    }

    private func descend(to leaf: LeafIndex, crypto: any SuiteCrypto) throws(MLSError) -> Descent {
        if leaf.value >= size.leafCount { throw MLSError(.malformed, "\(leaf) is outside of the tree") }
        let path = [leaf.node] + size.directPath(of: leaf.node)
        guard let start = path.firstIndex(where: { nodes[$0] != nil }), var secret = nodes[path[start]] else {
            throw MLSError(.generationReused, "no secret is left for \(leaf)")
        }
        let length = crypto.suite.hashLength
        var siblings: [(index: NodeIndex, secret: Secret)] = []
        for child in path[..<start].reversed() {
            let left = crypto.expandWithLabel(secret, label: "tree", context: Array("left".utf8), length: length)
            let right = crypto.expandWithLabel(secret, label: "tree", context: Array("right".utf8), length: length)
            let isLeft = child < child.parent
            siblings.append((child.sibling, isLeft ? right : left))
            secret = isLeft ? left : right
        }
        return Descent(
            consumed: [path[start]], siblings: siblings,
            handshake: Ratchet(
                generation: 0, secret: crypto.expandWithLabel(secret, label: "handshake", context: [], length: length)),
            application: Ratchet(
                generation: 0, secret: crypto.expandWithLabel(secret, label: "application", context: [], length: length)
            ))
    }
}

extension SecretTree.Ratchet {
    fileprivate func messageKey(_ crypto: any SuiteCrypto) -> SecretTree.MessageKey {
        SecretTree.MessageKey(
            generation: generation,
            key: crypto.deriveTreeSecret(
                secret, label: "key", generation: generation, length: crypto.suite.aeadKeyLength),
            nonce: crypto.deriveTreeSecret(
                secret, label: "nonce", generation: generation, length: crypto.suite.aeadNonceLength))
    }

    fileprivate func next(_ crypto: any SuiteCrypto) -> SecretTree.Ratchet {
        SecretTree.Ratchet(
            generation: generation + 1,
            secret: crypto.deriveTreeSecret(
                secret, label: "secret", generation: generation, length: crypto.suite.hashLength))
    }
}

/// For filling from records; false for what has no place in the tree.
extension SecretTree {
    mutating func restore(node index: NodeIndex, secret: Secret) -> Bool {
        if !size.contains(index) { return false }
        nodes[index] = secret
        return true
    }

    mutating func restore(_ ratchet: Ratchet, of id: RatchetID) -> Bool {
        if id.leaf.value >= size.leafCount { return false }
        ratchets[id] = ratchet
        return true
    }

    /// Keys must come by rising generation.
    mutating func restore(_ key: MessageKey, of id: RatchetID) -> Bool {
        let last = skipped[id]?.last?.generation
        if id.leaf.value >= size.leafCount || last.map({ $0 >= key.generation }) == true { return false }
        if skipped[id]?.count ?? 0 >= Limits.skippedKeys { return false }
        skipped[id, default: []].append(key)
        return true
    }
}
