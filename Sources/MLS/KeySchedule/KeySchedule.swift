/// The way from one epoch's init secret to the next epoch's secrets (RFC 9420 §8, figure 22).
package enum KeySchedule {
    /// - Parameter context: the encoded GroupContext of the new epoch.
    package static func joinerSecret(
        initSecret: Secret, commitSecret: Secret, context: [UInt8], crypto: any SuiteCrypto
    ) -> Secret {
        crypto.expandWithLabel(
            crypto.extract(salt: initSecret, ikm: commitSecret), label: "joiner", context: context,
            length: crypto.suite.hashLength)
    }

    /// The secret that the welcome secret and the epoch secret both come from.
    package static func memberSecret(joinerSecret: Secret, pskSecret: Secret, crypto: any SuiteCrypto) -> Secret {
        crypto.extract(salt: joinerSecret, ikm: pskSecret)
    }

    package static func welcomeSecret(memberSecret: Secret, crypto: any SuiteCrypto) -> Secret {
        crypto.deriveSecret(memberSecret, label: "welcome")
    }

    package static func epochSecret(memberSecret: Secret, context: [UInt8], crypto: any SuiteCrypto) -> Secret {
        crypto.expandWithLabel(memberSecret, label: "epoch", context: context, length: crypto.suite.hashLength)
    }

    /// The init secret that an external commit brings about: made by the joiner from the group's external key (RFC 9420
    /// §8.3).
    package static func sendExternalInit(
        to externalKey: [UInt8], crypto: any SuiteCrypto, entropy: any EntropySource
    ) throws(MLSError) -> (kemOutput: [UInt8], initSecret: Secret) {
        let (enc, secret) = try crypto.hpkeSendExport(
            to: externalKey, info: [], context: externalInitContext, length: crypto.suite.hashLength, entropy)
        return (enc, secret)
    }

    /// The same init secret on the members' side.
    package static func receiveExternalInit(
        kemOutput: [UInt8], externalKey: HPKEPrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) -> Secret {
        try crypto.hpkeReceiveExport(
            enc: kemOutput, with: externalKey, info: [], context: externalInitContext, length: crypto.suite.hashLength)
    }

    private static let externalInitContext = Array("MLS 1.0 external init secret".utf8)
}

/// The secrets of one epoch (RFC 9420 §8, table 4), except the encryption secret: that one becomes the ``SecretTree``
/// at once.
package struct EpochSecrets: Sendable {
    package let senderData: Secret
    package let exporter: Secret
    package let external: Secret
    package let confirmation: Secret
    package let membership: Secret
    package let resumption: Secret
    package let epochAuthenticator: Secret
    package let initSecret: Secret

    package static func derive(
        from epochSecret: Secret, crypto: any SuiteCrypto
    ) -> (secrets: EpochSecrets, encryption: Secret) {
        let secrets = EpochSecrets(
            senderData: crypto.deriveSecret(epochSecret, label: "sender data"),
            exporter: crypto.deriveSecret(epochSecret, label: "exporter"),
            external: crypto.deriveSecret(epochSecret, label: "external"),
            confirmation: crypto.deriveSecret(epochSecret, label: "confirm"),
            membership: crypto.deriveSecret(epochSecret, label: "membership"),
            resumption: crypto.deriveSecret(epochSecret, label: "resumption"),
            epochAuthenticator: crypto.deriveSecret(epochSecret, label: "authentication"),
            initSecret: crypto.deriveSecret(epochSecret, label: "init"))
        return (secrets, crypto.deriveSecret(epochSecret, label: "encryption"))
    }

    /// The key pair that external commits are sealed to (RFC 9420 §8.3).
    package func externalKey(crypto: any SuiteCrypto) throws(MLSError) -> HPKEPrivateKey {
        try crypto.deriveHPKEKey(ikm: external)
    }

    /// MLS-Exporter (RFC 9420 §8.5).
    package func export(label: String, context: [UInt8], length: Int, crypto: any SuiteCrypto) -> Secret {
        crypto.expandWithLabel(
            crypto.deriveSecret(exporter, label: label), label: "exported", context: crypto.hash(context),
            length: length)
    }
}

extension EpochSecrets: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        senderData = try reader.readSecret()
        exporter = try reader.readSecret()
        external = try reader.readSecret()
        confirmation = try reader.readSecret()
        membership = try reader.readSecret()
        resumption = try reader.readSecret()
        epochAuthenticator = try reader.readSecret()
        initSecret = try reader.readSecret()
    }

    package func encode(to writer: inout TLSWriter) {
        for secret in all { writer.writeSecret(secret) }
    }

    /// Room for the encoding, in bytes.
    var capacity: Int { all.reduce(0) { $0 + $1.capacity } }

    private var all: [Secret] {
        [senderData, exporter, external, confirmation, membership, resumption, epochAuthenticator, initSecret]
    }
}

extension Secret {
    /// Room for the encoding as `opaque<V>`, in bytes.
    var capacity: Int { count + 4 }
}

extension TLSWriter {
    /// The bytes of a secret as `opaque<V>`, for an encoding that is about to be sealed or stored.
    mutating func writeSecret(_ secret: Secret) {
        secret.withUnsafeBytes { writeOpaque($0) }
    }
}
