import MLS

/// External PSKs folded into one secret (RFC 9420 §8.4).
public enum PSKSecretVectors: VectorKind {
    public static let name = "psk_secret"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let psks: [PSK]
        let psk_secret: Hex
    }

    struct PSK: Decodable, Sendable {
        let psk_id: Hex
        let psk: Hex
        let psk_nonce: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        let keys = vector.psks.map { psk in
            (
                id: PreSharedKeyID(source: .external(id: psk.psk_id.bytes), nonce: psk.psk_nonce.bytes),
                secret: psk.psk.secret
            )
        }
        try expectSecret(try PSKSecret.combine(keys, crypto: crypto), vector.psk_secret, "the PSK secret")
    }
}
