import MLS

/// PSKs folded into one secret (RFC 9420 §8.4).
///
/// The official files have only external PSKs; one with `usage`, `psk_group_id` and `psk_epoch` is a resumption PSK.
public enum PSKSecretVectors: VectorKind {
    public static let name = "psk_secret"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let psks: [PSK]
        let psk_secret: Hex
    }

    struct PSK: Decodable, Sendable {
        let psk_id: Hex?
        let usage: UInt8?
        let psk_group_id: Hex?
        let psk_epoch: UInt64?
        let psk: Hex
        let psk_nonce: Hex

        func source() throws -> PSKSource {
            if let psk_id { return .external(id: psk_id.bytes) }
            guard let usage = usage.flatMap({ ResumptionUsage(rawValue: $0) }), let psk_group_id, let psk_epoch else {
                throw VectorMismatch("a PSK without an id")
            }
            return .resumption(usage, groupID: psk_group_id.bytes, epoch: psk_epoch)
        }
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        let keys = try vector.psks.map { psk in
            (
                id: PreSharedKeyID(source: try psk.source(), nonce: psk.psk_nonce.bytes),
                secret: psk.psk.secret
            )
        }
        try expectSecret(try PSKSecret.combine(keys, crypto: crypto), vector.psk_secret, "the PSK secret")
    }
}
