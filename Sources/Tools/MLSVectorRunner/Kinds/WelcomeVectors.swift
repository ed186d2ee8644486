import MLS

/// A Welcome opened as far as possible without the group's tree (RFC 9420 §12.4.3.1).
public enum WelcomeVectors: VectorKind {
    public static let name = "welcome"

    public struct Case: Decodable, Sendable {
        let cipher_suite: UInt16
        let init_priv: Hex
        let key_package: Hex
        let signer_pub: Hex
        let welcome: Hex
    }

    public static func check(_ vector: Case, provider: any CryptoProvider) throws {
        let crypto = try provider.vectorSuite(vector.cipher_suite)
        guard case .welcome(let welcome) = try MLSMessage(decoding: vector.welcome.bytes),
            case .keyPackage(let keyPackage) = try MLSMessage(decoding: vector.key_package.bytes)
        else { throw VectorMismatch("not a Welcome and a KeyPackage") }
        let reference = keyPackage.ref(crypto: crypto)
        guard let entry = welcome.secrets.first(where: { $0.newMember == reference }) else {
            throw VectorMismatch("the Welcome does not name the key package")
        }
        let secrets = try welcome.openGroupSecrets(
            entry, with: try crypto.hpkeKey(raw: vector.init_priv.secret), crypto: crypto)
        let memberSecret = KeySchedule.memberSecret(
            joinerSecret: secrets.joinerSecret, pskSecret: try PSKSecret.combine([], crypto: crypto), crypto: crypto)
        let info = try welcome.openGroupInfo(memberSecret: memberSecret, crypto: crypto)
        try info.verifySignature(publicKey: vector.signer_pub.bytes, crypto: crypto)
        let (epoch, _) = EpochSecrets.derive(
            from: KeySchedule.epochSecret(memberSecret: memberSecret, context: info.context.encoded, crypto: crypto),
            crypto: crypto)
        let tag = TranscriptHash.confirmationTag(
            confirmationKey: epoch.confirmation, confirmed: info.context.confirmedTranscriptHash, crypto: crypto)
        try expectEqual(Hex(tag), Hex(info.confirmationTag), "the confirmation tag")
    }
}
