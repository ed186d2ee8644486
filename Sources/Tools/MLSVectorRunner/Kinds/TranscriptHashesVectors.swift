import MLS

/// The transcript hashes after a commit (RFC 9420 §8.2).
public enum TranscriptHashesVectors: VectorKind {
    public static let name = "transcript-hashes"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let confirmation_key: Hex
        let authenticated_content: Hex
        let interim_transcript_hash_before: Hex
        let confirmed_transcript_hash_after: Hex
        let interim_transcript_hash_after: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        let content = try AuthenticatedContent(decoding: vector.authenticated_content.bytes)
        try expectEqual(Hex(content.encoded), vector.authenticated_content, "the content encoded again")
        let confirmed = TranscriptHash.confirmed(
            interim: vector.interim_transcript_hash_before.bytes, commit: content, crypto: crypto)
        try expectEqual(Hex(confirmed), vector.confirmed_transcript_hash_after, "the confirmed transcript hash")
        let tag = TranscriptHash.confirmationTag(
            confirmationKey: vector.confirmation_key.secret, confirmed: confirmed, crypto: crypto)
        try expectEqual(tag, content.auth.confirmationTag, "the confirmation tag")
        try expectEqual(
            Hex(TranscriptHash.interim(confirmed: confirmed, confirmationTag: tag, crypto: crypto)),
            vector.interim_transcript_hash_after, "the interim transcript hash")
    }
}
