/// The functions of RFC 9420 that bind each use of a key to a label, so that no use can stand in for another.
extension SuiteCrypto {
    /// SignWithLabel (RFC 9420 §5.1.2).
    package func signWithLabel(_ key: SignaturePrivateKey, label: String, content: [UInt8])
        throws(MLSError) -> [UInt8]
    {
        try sign(key, labelled(label, content))
    }

    /// VerifyWithLabel (RFC 9420 §5.1.2).
    package func verifyWithLabel(publicKey: [UInt8], label: String, content: [UInt8], signature: [UInt8]) -> Bool {
        verify(publicKey: publicKey, labelled(label, content), signature: signature)
    }

    /// EncryptWithLabel (RFC 9420 §5.1.3).
    package func encryptWithLabel(
        to publicKey: [UInt8], label: String, context: [UInt8], _ plaintext: Secret, _ entropy: any EntropySource
    ) throws(MLSError) -> HPKECiphertext {
        try hpkeSeal(to: publicKey, info: labelled(label, context), aad: [], plaintext, entropy)
    }

    /// EncryptWithLabel of several secrets under one label and context, in their order.
    package func encryptWithLabel(
        _ parcels: [HPKEParcel], label: String, context: [UInt8], _ entropy: any EntropySource
    ) throws(MLSError) -> [HPKECiphertext] {
        try hpkeSeal(parcels, info: labelled(label, context), aad: [], entropy)
    }

    /// What VerifyWithLabel checks, for ``firstInvalid(_:)``.
    package func claimWithLabel(publicKey: [UInt8], label: String, content: [UInt8], signature: [UInt8])
        -> SignatureClaim
    {
        SignatureClaim(publicKey: publicKey, message: labelled(label, content), signature: signature)
    }

    /// DecryptWithLabel (RFC 9420 §5.1.3).
    ///
    /// - Throws: `decryptionFailed`.
    package func decryptWithLabel(
        _ ciphertext: HPKECiphertext, with key: HPKEPrivateKey, label: String, context: [UInt8]
    ) throws(MLSError) -> Secret {
        try hpkeOpen(ciphertext, with: key, info: labelled(label, context), aad: [])
    }

    /// A fresh HPKE key.
    package func generateHPKEKey(_ entropy: any EntropySource) throws(MLSError) -> HPKEPrivateKey {
        // As long as the longest private key of any suite, that of P-521 (RFC 9180 §7.1.3 requires at least this).
        try deriveHPKEKey(ikm: entropy.secret(66))
    }

    /// ExpandWithLabel (RFC 9420 §8); `length` in bytes, at most 255 hash lengths.
    package func expandWithLabel(_ secret: Secret, label: String, context: [UInt8], length: Int) -> Secret {
        var info = TLSWriter(reservingCapacity: context.count + label.utf8.count + 16)
        info.write(UInt16(truncatingIfNeeded: length))
        info.writeProtocolLabel(label)
        info.writeOpaque(context)
        return expand(prk: secret, info: info.bytes, length: length)
    }

    /// DeriveSecret (RFC 9420 §8): one hash length, no context.
    package func deriveSecret(_ secret: Secret, label: String) -> Secret {
        expandWithLabel(secret, label: label, context: [], length: suite.hashLength)
    }

    /// DeriveTreeSecret (RFC 9420 §9).
    package func deriveTreeSecret(_ secret: Secret, label: String, generation: UInt32, length: Int) -> Secret {
        var context = TLSWriter(reservingCapacity: 4)
        context.write(generation)
        return expandWithLabel(secret, label: label, context: context.bytes, length: length)
    }

    /// RefHash (RFC 9420 §5.2).
    package func refHash(label: String, _ value: [UInt8]) -> [UInt8] {
        var input = TLSWriter()
        input.writeOpaque(label.utf8)
        input.writeOpaque(value)
        return hash(input.bytes)
    }

    /// MakeKeyPackageRef of an encoded KeyPackage (RFC 9420 §5.2).
    package func keyPackageRef(_ encodedKeyPackage: [UInt8]) -> KeyPackageRef {
        KeyPackageRef(refHash(label: "MLS 1.0 KeyPackage Reference", encodedKeyPackage))
    }

    /// MakeProposalRef of an encoded AuthenticatedContent (RFC 9420 §5.2).
    package func proposalRef(_ encodedAuthenticatedContent: [UInt8]) -> ProposalRef {
        ProposalRef(refHash(label: "MLS 1.0 Proposal Reference", encodedAuthenticatedContent))
    }
}

/// SignContent and EncryptContext, which have the same shape: the label, then the content.
private func labelled(_ label: String, _ content: [UInt8]) -> [UInt8] {
    var writer = TLSWriter(reservingCapacity: content.count + label.utf8.count + 16)
    writer.writeProtocolLabel(label)
    writer.writeOpaque(content)
    return writer.bytes
}

extension TLSWriter {
    /// A label as `opaque<V>`, with the protocol's name in front.
    fileprivate mutating func writeProtocolLabel(_ label: String) {
        let name: StaticString = "MLS 1.0 "
        writeLength(name.utf8CodeUnitCount + label.utf8.count)
        name.withUTF8Buffer { writeRaw($0) }
        writeRaw(label.utf8)
    }
}
