/// Who sent a PrivateMessage and with which of its keys; sealed apart from the content (RFC 9420 §6.3.2).
package struct SenderData: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let leaf: LeafIndex
    package let generation: UInt32
    /// Four random bytes, so that a key used twice by a rolled-back sender still gets two nonces.
    package let reuseGuard: [UInt8]

    package init(leaf: LeafIndex, generation: UInt32, reuseGuard: [UInt8]) {
        self.leaf = leaf
        self.generation = generation
        self.reuseGuard = reuseGuard
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        leaf = try reader.read()
        generation = try reader.read()
        reuseGuard = try reader.readRaw(4)
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(leaf)
        writer.write(generation)
        writer.writeRaw(reuseGuard)
    }

    /// The message's nonce with the reuse guard XORed into its first bytes (RFC 9420 §6.3.1).
    func guarding(_ nonce: Secret) -> [UInt8] {
        var guarded = nonce.unwipedCopy
        for (index, byte) in zip(guarded.indices, reuseGuard) { guarded[index] ^= byte }
        return guarded
    }

    /// The key and nonce that seal it; they come from a sample of the content's ciphertext.
    package static func keys(
        secret: Secret, ciphertext: [UInt8], crypto: any SuiteCrypto
    ) -> (key: Secret, nonce: [UInt8]) {
        let sample = Array(ciphertext.prefix(crypto.suite.hashLength))
        let key = crypto.expandWithLabel(secret, label: "key", context: sample, length: crypto.suite.aeadKeyLength)
        let nonce = crypto.expandWithLabel(
            secret, label: "nonce", context: sample, length: crypto.suite.aeadNonceLength)
        return (key, nonce.unwipedCopy)
    }
}
