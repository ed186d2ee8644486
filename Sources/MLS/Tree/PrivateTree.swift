/// The private keys of a member: its leaf's, and those of the nodes above that it has received (RFC 9420 §4.2).
package struct PrivateTree: Sendable {
    package let ownLeaf: LeafIndex
    package private(set) var leafKey: HPKEPrivateKey
    /// Keys of nodes on the direct path. One whose node has changed since is not used, see ``prune(to:)``.
    package private(set) var nodeKeys: [NodeIndex: HPKEPrivateKey]

    package init(ownLeaf: LeafIndex, leafKey: HPKEPrivateKey, nodeKeys: [NodeIndex: HPKEPrivateKey] = [:]) {
        self.ownLeaf = ownLeaf
        self.leafKey = leafKey
        self.nodeKeys = nodeKeys
    }

    /// The private keys of a new member: those its Welcome's path secret leads to (RFC 9420 §12.4.3.1).
    ///
    /// - Parameters:
    ///   - pathSecret: nil when the commit that added the member had no path.
    ///   - committer: who signed the GroupInfo.
    /// - Throws: `invalidWelcome` when the keys are not those of the tree.
    package init(
        ownLeaf: LeafIndex, leafKey: HPKEPrivateKey, pathSecret: Secret?, from committer: LeafIndex,
        in tree: RatchetTree, crypto: any SuiteCrypto
    ) throws(MLSError) {
        self.init(ownLeaf: ownLeaf, leafKey: leafKey)
        if tree[ownLeaf]?.encryptionKey != leafKey.publicKey {
            throw MLSError(.invalidWelcome, "our leaf in the tree has another key")
        }
        guard let pathSecret else { return }
        let path = tree.filteredDirectPath(of: committer)
        guard let start = path.firstIndex(where: { ownLeaf.node.isInSubtree(of: $0.copath) }) else {
            throw MLSError(.invalidWelcome, "a path secret for a node that is not ours")
        }
        var secret = PathSecret(secret: pathSecret)
        for step in path[start...] {
            let key = try secret.keyPair(crypto: crypto)
            if tree[step.node]?.encryptionKey != key.publicKey {
                throw MLSError(.invalidWelcome, "a path secret does not lead to the key of \(step.node)")
            }
            nodeKeys[step.node] = key
            secret = secret.next(crypto: crypto)
        }
    }

    /// Sets a new key for the own leaf, as when one's own Update is committed. The keys above become invalid.
    package mutating func replaceLeafKey(_ key: HPKEPrivateKey) {
        leafKey = key
        nodeKeys = [:]
    }

    /// Drops the keys of nodes that are blank or have another key in `tree`: call it after proposals were applied, so
    /// that no old key outlives its node.
    package mutating func prune(to tree: RatchetTree) {
        nodeKeys = nodeKeys.filter { index, key in tree.parentNode(index)?.encryptionKey == key.publicKey }
    }

    /// The key for a node that a secret was sealed to.
    func key(for index: NodeIndex, in tree: RatchetTree) -> HPKEPrivateKey? {
        let key = index == ownLeaf.node ? leafKey : nodeKeys[index]
        return key?.publicKey == tree[index]?.encryptionKey ? key : nil
    }

    mutating func setNodeKey(_ key: HPKEPrivateKey, at index: NodeIndex) {
        nodeKeys[index] = key
    }
}

/// The form it is stored in: a version byte, then the leaf with its key and the nodes with theirs.
extension PrivateTree {
    private static let formatVersion: UInt8 = 1

    /// Holds private keys.
    package var serialized: [UInt8] {
        var writer = TLSWriter(reservingCapacity: capacity)
        encode(to: &writer)
        return writer.bytes
    }

    /// Room for what is stored, in bytes.
    var capacity: Int {
        nodeKeys.values.reduce(leafKey.capacity + 16) { $0 + $1.capacity + 4 }
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(Self.formatVersion)
        writer.write(ownLeaf)
        Self.encode(leafKey, to: &writer)
        writer.writeVector { writer in
            for (index, key) in nodeKeys.sorted(by: { $0.key < $1.key }) {
                writer.write(index.value)
                Self.encode(key, to: &writer)
            }
        }
    }

    /// - Throws: `malformed`, `invalidKey`; `unsupported` for a later version.
    package init(serialized: [UInt8], crypto: any SuiteCrypto) throws(MLSError) {
        var reader = TLSReader(serialized)
        try self.init(from: &reader, crypto: crypto)
    }

    /// Reads to the end.
    init(from reader: inout TLSReader, crypto: any SuiteCrypto) throws(MLSError) {
        let version = try reader.read(UInt8.self)
        if version != Self.formatVersion { throw MLSError(.unsupported, "a private tree of version \(version)") }
        ownLeaf = try reader.read()
        leafKey = try Self.decodeKey(from: &reader, crypto: crypto)
        nodeKeys = [:]
        var nodes = try reader.readSubReader()
        while !nodes.isAtEnd {
            let index = NodeIndex(try nodes.read())
            nodeKeys[index] = try Self.decodeKey(from: &nodes, crypto: crypto)
        }
        try reader.expectEnd()
    }

    private static func encode(_ key: HPKEPrivateKey, to writer: inout TLSWriter) {
        writer.writeOpaque(key.publicKey)
        writer.writeSecret(key.raw)
    }

    private static func decodeKey(from reader: inout TLSReader, crypto: any SuiteCrypto)
        throws(MLSError) -> HPKEPrivateKey
    {
        let publicKey = try reader.readOpaque()
        // Most of them are never used: another member's commit replaces them first.
        return try crypto.hpkeKey(raw: try reader.readSecret(), publicKey: publicKey)
    }
}

extension HPKEPrivateKey {
    /// Room for both halves as `opaque<V>`, in bytes.
    fileprivate var capacity: Int { publicKey.count + 4 + raw.capacity }
}
