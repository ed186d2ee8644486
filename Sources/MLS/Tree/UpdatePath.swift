/// New keys for a committer's direct path (RFC 9420 §7.6).
package struct UpdatePath: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let leafNode: LeafNode
    /// One per node of the committer's filtered direct path, from the bottom to the root.
    package let nodes: [UpdatePathNode]

    package init(leafNode: LeafNode, nodes: [UpdatePathNode]) {
        self.leafNode = leafNode
        self.nodes = nodes
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        leafNode = try reader.read()
        nodes = try reader.readVector()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(leafNode)
        writer.writeVector(nodes)
    }
}

/// The new public key of one node, and its path secret sealed to the members below the other child (RFC 9420 §7.6).
package struct UpdatePathNode: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let encryptionKey: [UInt8]
    /// One per node of the resolution of the copath child, in its order.
    package let encryptedPathSecret: [HPKECiphertext]

    package init(encryptionKey: [UInt8], encryptedPathSecret: [HPKECiphertext]) {
        self.encryptionKey = encryptionKey
        self.encryptedPathSecret = encryptedPathSecret
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        encryptionKey = try reader.readOpaque()
        encryptedPathSecret = try reader.readVector()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(encryptionKey)
        writer.writeVector(encryptedPathSecret)
    }
}
