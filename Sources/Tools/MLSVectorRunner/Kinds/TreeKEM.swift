import MLS
import MLSOpenSSL

/// Update paths, received and made (RFC 9420 §7.4 to §7.6).
public enum TreeKEM: VectorKind {
    public static let name = "treekem"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let group_id: Hex
        let epoch: UInt64
        let confirmed_transcript_hash: Hex
        let ratchet_tree: Hex
        let leaves_private: [LeafPrivate]
        let update_paths: [Path]
    }

    struct LeafPrivate: Decodable, Sendable {
        let index: UInt32
        let encryption_priv: Hex
        let signature_priv: Hex
        let path_secrets: [NodeSecret]
    }

    struct NodeSecret: Decodable, Sendable {
        let node: UInt32
        let path_secret: Hex
    }

    struct Path: Decodable, Sendable {
        let sender: UInt32
        let update_path: Hex
        let path_secrets: [Hex?]
        let commit_secret: Hex
        let tree_hash_after: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        let tree = try RatchetTree(decoding: vector.ratchet_tree.bytes)
        let members = try vector.leaves_private.map { try privateTree($0, in: tree, crypto) }
        for path in vector.update_paths {
            try checkReceived(path, vector, tree, members, crypto)
        }
        for leaf in vector.leaves_private {
            try checkMade(by: leaf, vector, tree, members, crypto)
        }
    }

    private static func privateTree(_ leaf: LeafPrivate, in tree: RatchetTree, _ crypto: any SuiteCrypto) throws
        -> PrivateTree
    {
        let index = LeafIndex(leaf.index)
        let leafKey = try crypto.hpkeKey(raw: leaf.encryption_priv.secret)
        try expectEqual(leafKey.publicKey, tree[index]?.encryptionKey, "the encryption key of \(index)")
        let signatureKey = try crypto.signatureKey(raw: leaf.signature_priv.secret)
        try expectEqual(signatureKey.publicKey, tree[index]?.signatureKey, "the signature key of \(index)")
        var nodeKeys: [NodeIndex: HPKEPrivateKey] = [:]
        for entry in leaf.path_secrets {
            let node = NodeIndex(entry.node)
            let key = try crypto.deriveHPKEKey(
                ikm: crypto.deriveSecret(entry.path_secret.secret, label: "node"))
            try expectEqual(key.publicKey, tree[node]?.encryptionKey, "the encryption key of \(node)")
            nodeKeys[node] = key
        }
        return PrivateTree(ownLeaf: index, leafKey: leafKey, nodeKeys: nodeKeys)
    }

    private static func checkReceived(
        _ path: Path, _ vector: Case, _ before: RatchetTree, _ members: [PrivateTree], _ crypto: any SuiteCrypto
    ) throws {
        let sender = LeafIndex(path.sender)
        let updatePath = try UpdatePath(decoding: path.update_path.bytes)
        var tree = before
        try tree.applyUpdatePath(
            updatePath, from: sender, groupID: vector.group_id.bytes, groupExtensions: [], crypto: crypto)
        try expectEqual(Hex(tree.treeHash(crypto: crypto)), path.tree_hash_after, "the tree hash after")
        try tree.validate(groupID: vector.group_id.bytes, extensions: [], now: nil, crypto: crypto)
        let context = groupContext(vector, tree: &tree, crypto)
        for member in members where member.ownLeaf != sender {
            let received = try tree.decryptUpdatePath(
                updatePath, from: sender, with: member, groupContext: context, excluding: [], crypto: crypto)
            try expectEqual(Hex(received.commitSecret.unwipedCopy), path.commit_secret, "the commit secret")
            // The vector's path secret must lead to the keys that we took from the path.
            let expected = try PrivateTree(
                ownLeaf: member.ownLeaf, leafKey: member.leafKey,
                pathSecret: path.path_secrets.entry(member.ownLeaf.value, of: "path_secrets")?.secret, from: sender,
                in: tree, crypto: crypto
            )
            for (node, key) in expected.nodeKeys {
                try expectEqual(received.privateTree.nodeKeys[node]?.raw, key.raw, "the private key of \(node)")
            }
        }
    }

    private static func checkMade(
        by leaf: LeafPrivate, _ vector: Case, _ before: RatchetTree, _ members: [PrivateTree],
        _ crypto: any SuiteCrypto
    ) throws {
        let sender = LeafIndex(leaf.index)
        guard let old = before[sender] else { throw VectorMismatch("\(sender) is blank") }
        var tree = before
        let prepared = try tree.prepareUpdatePath(
            from: sender, profile: old.profile, groupID: vector.group_id.bytes,
            signer: crypto.signatureKey(raw: leaf.signature_priv.secret), crypto: crypto, entropy: SystemEntropy())
        let context = groupContext(vector, tree: &tree, crypto)
        let path = try tree.encryptUpdatePath(
            prepared, groupContext: context, excluding: [], crypto: crypto, entropy: SystemEntropy())

        var received = before
        try received.applyUpdatePath(
            path, from: sender, groupID: vector.group_id.bytes, groupExtensions: [], crypto: crypto)
        try expectEqual(received.treeHash(crypto: crypto), tree.treeHash(crypto: crypto), "the tree hash of our path")
        for member in members where member.ownLeaf != sender {
            let result = try received.decryptUpdatePath(
                path, from: sender, with: member, groupContext: context, excluding: [], crypto: crypto)
            try expectEqual(result.commitSecret, prepared.commitSecret, "the commit secret of our path")
        }
    }

    /// The encoded provisional group context: no extensions, and the tree hash after the path.
    private static func groupContext(_ vector: Case, tree: inout RatchetTree, _ crypto: any SuiteCrypto) -> [UInt8] {
        var context = TLSWriter()
        context.write(ProtocolVersion.mls10)
        context.write(crypto.suite)
        context.writeOpaque(vector.group_id.bytes)
        context.write(vector.epoch)
        context.writeOpaque(tree.treeHash(crypto: crypto))
        context.writeOpaque(vector.confirmed_transcript_hash.bytes)
        context.writeVector([Extension]())
        return context.bytes
    }
}
