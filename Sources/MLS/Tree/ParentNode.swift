/// An inner node: the key of the subtree below it (RFC 9420 §7.1).
package struct ParentNode: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package var encryptionKey: [UInt8]
    package var parentHash: [UInt8]
    /// Leaves below that do not know this node's private key, in ascending order.
    package var unmergedLeaves: [LeafIndex]

    package init(encryptionKey: [UInt8], parentHash: [UInt8] = [], unmergedLeaves: [LeafIndex] = []) {
        self.encryptionKey = encryptionKey
        self.parentHash = parentHash
        self.unmergedLeaves = unmergedLeaves
    }

    /// - Throws: `malformed` also when the unmerged leaves do not ascend (RFC 9420 §7.1).
    package init(from reader: inout TLSReader) throws(MLSError) {
        encryptionKey = try reader.readOpaque()
        parentHash = try reader.readOpaque()
        unmergedLeaves = try reader.readVector()
        if !zip(unmergedLeaves, unmergedLeaves.dropFirst()).allSatisfy({ $0 < $1 }) {
            throw MLSError(.malformed, "the unmerged leaves of a parent node do not ascend")
        }
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(encryptionKey)
        writer.writeOpaque(parentHash)
        writer.writeVector(unmergedLeaves)
    }
}
