import MLS

/// The secrets of five epochs in a row (RFC 9420 §8).
public enum KeyScheduleVectors: VectorKind {
    public static let name = "key-schedule"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let group_id: Hex
        let initial_init_secret: Hex
        let epochs: [Epoch]
    }

    struct Epoch: Decodable, Sendable {
        let tree_hash: Hex
        let commit_secret: Hex
        let psk_secret: Hex
        let confirmed_transcript_hash: Hex
        let group_context: Hex
        let joiner_secret: Hex
        let welcome_secret: Hex
        let init_secret: Hex
        let sender_data_secret: Hex
        let encryption_secret: Hex
        let exporter_secret: Hex
        let epoch_authenticator: Hex
        let external_secret: Hex
        let confirmation_key: Hex
        let membership_key: Hex
        let resumption_psk: Hex
        let external_pub: Hex
        let exporter: Exporter
    }

    struct Exporter: Decodable, Sendable {
        let label: String
        let context: Hex
        let length: Int
        let secret: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        var initSecret = vector.initial_init_secret.secret
        for (number, epoch) in vector.epochs.enumerated() {
            let context = GroupContext(
                suite: crypto.suite, groupID: vector.group_id.bytes, epoch: UInt64(number),
                treeHash: epoch.tree_hash.bytes, confirmedTranscriptHash: epoch.confirmed_transcript_hash.bytes,
                extensions: []
            ).encoded
            try expectEqual(Hex(context), epoch.group_context, "the group context")
            initSecret = try check(epoch, initSecret: initSecret, context: context, crypto)
        }
    }

    /// - Returns: the init secret for the next epoch.
    private static func check(
        _ epoch: Epoch, initSecret: Secret, context: [UInt8], _ crypto: any SuiteCrypto
    ) throws -> Secret {
        let joiner = KeySchedule.joinerSecret(
            initSecret: initSecret, commitSecret: epoch.commit_secret.secret, context: context, crypto: crypto)
        try expectSecret(joiner, epoch.joiner_secret, "the joiner secret")
        let member = KeySchedule.memberSecret(
            joinerSecret: joiner, pskSecret: epoch.psk_secret.secret, crypto: crypto)
        try expectSecret(
            KeySchedule.welcomeSecret(memberSecret: member, crypto: crypto), epoch.welcome_secret, "the welcome secret")
        let (secrets, encryption) = EpochSecrets.derive(
            from: KeySchedule.epochSecret(memberSecret: member, context: context, crypto: crypto), crypto: crypto)
        try expectSecret(encryption, epoch.encryption_secret, "the encryption secret")
        try expectSecret(secrets.initSecret, epoch.init_secret, "the init secret")
        try expectSecret(secrets.senderData, epoch.sender_data_secret, "the sender data secret")
        try expectSecret(secrets.exporter, epoch.exporter_secret, "the exporter secret")
        try expectSecret(secrets.epochAuthenticator, epoch.epoch_authenticator, "the epoch authenticator")
        try expectSecret(secrets.external, epoch.external_secret, "the external secret")
        try expectSecret(secrets.confirmation, epoch.confirmation_key, "the confirmation key")
        try expectSecret(secrets.membership, epoch.membership_key, "the membership key")
        try expectSecret(secrets.resumption, epoch.resumption_psk, "the resumption PSK")
        try expectEqual(
            Hex(try secrets.externalKey(crypto: crypto).publicKey), epoch.external_pub, "the external public key")
        let exported = secrets.export(
            label: epoch.exporter.label, context: epoch.exporter.context.bytes,
            length: try crypto.derivable(epoch.exporter.length),
            crypto: crypto)
        try expectSecret(exported, epoch.exporter.secret, "the exported secret")
        return secrets.initSecret
    }
}

/// Compares a secret, which the vector writes in the clear.
func expectSecret(_ actual: Secret, _ expected: Hex, _ what: String) throws {
    try expectEqual(Hex(actual.unwipedCopy), expected, what)
}
