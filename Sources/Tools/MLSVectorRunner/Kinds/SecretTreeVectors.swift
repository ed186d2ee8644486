import MLS

/// Message keys of all leaves, and the keys that seal sender data (RFC 9420 §9 and §6.3.2).
public enum SecretTreeVectors: VectorKind {
    public static let name = "secret-tree"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let encryption_secret: Hex
        let sender_data: SenderDataKeys
        let leaves: [[Generation]]
    }

    struct SenderDataKeys: Decodable, Sendable {
        let sender_data_secret: Hex
        let ciphertext: Hex
        let key: Hex
        let nonce: Hex
    }

    struct Generation: Decodable, Sendable {
        let generation: UInt32
        let application_key: Hex
        let application_nonce: Hex
        let handshake_key: Hex
        let handshake_nonce: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        let senderData = SenderData.keys(
            secret: vector.sender_data.sender_data_secret.secret, ciphertext: vector.sender_data.ciphertext.bytes,
            crypto: crypto)
        try expectSecret(senderData.key, vector.sender_data.key, "the sender data key")
        try expectEqual(Hex(senderData.nonce), vector.sender_data.nonce, "the sender data nonce")

        var tree = SecretTree(
            size: TreeSize(leaves: UInt32(vector.leaves.count)), encryptionSecret: vector.encryption_secret.secret)
        for (leaf, generations) in vector.leaves.enumerated() {
            for expected in generations {
                for kind in [SecretTree.Kind.application, .handshake] {
                    let isApplication = kind == .application
                    let step = try tree.key(
                        for: .init(leaf: LeafIndex(UInt32(leaf)), kind: kind), generation: expected.generation,
                        crypto: crypto)
                    tree.apply(step)
                    try expectSecret(
                        step.messageKey.key, isApplication ? expected.application_key : expected.handshake_key,
                        "the \(kind) key of leaf \(leaf), generation \(expected.generation)")
                    try expectSecret(
                        step.messageKey.nonce, isApplication ? expected.application_nonce : expected.handshake_nonce,
                        "the \(kind) nonce of leaf \(leaf), generation \(expected.generation)")
                }
            }
        }
    }
}
