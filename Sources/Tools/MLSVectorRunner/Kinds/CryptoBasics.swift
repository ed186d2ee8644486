import MLS
import MLSOpenSSL

/// The labelled functions (RFC 9420 §5.1, §5.2, §8 and §9).
public enum CryptoBasics: VectorKind {
    public static let name = "crypto-basics"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let ref_hash: RefHash
        let expand_with_label: ExpandWithLabel
        let derive_secret: DeriveSecret
        let derive_tree_secret: DeriveTreeSecret
        let sign_with_label: SignWithLabel
        let encrypt_with_label: EncryptWithLabel
    }

    struct RefHash: Decodable, Sendable {
        let label: String
        let value, out: Hex
    }

    struct ExpandWithLabel: Decodable, Sendable {
        let secret: Hex
        let label: String
        let context: Hex
        let length: Int
        let out: Hex
    }

    struct DeriveSecret: Decodable, Sendable {
        let label: String
        let secret, out: Hex
    }

    struct DeriveTreeSecret: Decodable, Sendable {
        let secret: Hex
        let label: String
        let generation: UInt32
        let length: Int
        let out: Hex
    }

    struct SignWithLabel: Decodable, Sendable {
        let label: String
        let priv, pub, content, signature: Hex
    }

    struct EncryptWithLabel: Decodable, Sendable {
        let label: String
        let priv, pub, context, plaintext, kem_output: Hex
        let ciphertext: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        try checkDerivations(vector, crypto)
        try checkSignature(vector.sign_with_label, crypto)
        try checkEncryption(vector.encrypt_with_label, crypto)
    }

    private static func checkDerivations(_ vector: Case, _ crypto: any SuiteCrypto) throws {
        let ref = vector.ref_hash
        try expectEqual(Hex(crypto.refHash(label: ref.label, ref.value.bytes)), ref.out, "RefHash")
        let expand = vector.expand_with_label
        let expanded = crypto.expandWithLabel(
            expand.secret.secret, label: expand.label, context: expand.context.bytes,
            length: try crypto.derivable(expand.length))
        try expectEqual(Hex(expanded.unwipedCopy), expand.out, "ExpandWithLabel")
        let derive = vector.derive_secret
        let derived = crypto.deriveSecret(derive.secret.secret, label: derive.label)
        try expectEqual(Hex(derived.unwipedCopy), derive.out, "DeriveSecret")
        let tree = vector.derive_tree_secret
        let treeSecret = crypto.deriveTreeSecret(
            tree.secret.secret, label: tree.label, generation: tree.generation,
            length: try crypto.derivable(tree.length))
        try expectEqual(Hex(treeSecret.unwipedCopy), tree.out, "DeriveTreeSecret")
    }

    private static func checkSignature(_ vector: SignWithLabel, _ crypto: any SuiteCrypto) throws {
        func verifies(_ signature: [UInt8]) -> Bool {
            crypto.verifyWithLabel(
                publicKey: vector.pub.bytes, label: vector.label, content: vector.content.bytes, signature: signature)
        }
        try expect(verifies(vector.signature.bytes), "the vector's signature does not verify")
        let key = try crypto.signatureKey(raw: vector.priv.secret)
        try expectEqual(Hex(key.publicKey), vector.pub, "the public signature key")
        let signature = try crypto.signWithLabel(key, label: vector.label, content: vector.content.bytes)
        try expect(verifies(signature), "our signature does not verify")
    }

    private static func checkEncryption(_ vector: EncryptWithLabel, _ crypto: any SuiteCrypto) throws {
        let key = try crypto.hpkeKey(raw: vector.priv.secret)
        try expectEqual(Hex(key.publicKey), vector.pub, "the public HPKE key")
        func opened(_ ciphertext: HPKECiphertext) throws -> Hex {
            let plaintext = try crypto.decryptWithLabel(
                ciphertext, with: key, label: vector.label, context: vector.context.bytes)
            return Hex(plaintext.unwipedCopy)
        }
        let theirs = HPKECiphertext(kemOutput: vector.kem_output.bytes, ciphertext: vector.ciphertext.bytes)
        try expectEqual(try opened(theirs), vector.plaintext, "the vector's ciphertext, opened,")
        let ours = try crypto.encryptWithLabel(
            to: vector.pub.bytes, label: vector.label, context: vector.context.bytes, vector.plaintext.secret,
            SystemEntropy())
        try expectEqual(try opened(ours), vector.plaintext, "our ciphertext, opened,")
    }
}
