/// A message that only members of its epoch can read, including its sender (RFC 9420 §6.3).
package struct PrivateMessage: Hashable, Sendable {
    package let groupID: [UInt8]
    package let epoch: UInt64
    package let contentType: ContentType
    package let authenticatedData: [UInt8]
    package let encryptedSenderData: [UInt8]
    package let ciphertext: [UInt8]

    /// Seals a signed content.
    ///
    /// - Parameters:
    ///   - key: the sender's next message key; it must not be used again.
    ///   - paddingBlock: the plaintext is filled with zeros up to a multiple of this many bytes.
    ///   - padding: zeros on top of that, in bytes.
    /// - Throws: `tooLarge` when the result would not fit the limits of a vector.
    package init(
        protecting authenticated: AuthenticatedContent, from sender: LeafIndex, key: SecretTree.MessageKey,
        senderDataSecret: Secret, paddingBlock: Int, padding: Int = 0, crypto: any SuiteCrypto,
        entropy: any EntropySource
    ) throws(MLSError) {
        let content = authenticated.content
        groupID = content.groupID
        epoch = content.epoch
        contentType = content.body.type
        authenticatedData = content.authenticatedData

        var plaintext = TLSWriter(reservingCapacity: content.body.likelyLength + 512)
        content.body.encode(to: &plaintext)
        authenticated.auth.encode(to: &plaintext)
        if paddingBlock > Limits.paddingBlock { throw MLSError(.tooLarge, "padding up to \(paddingBlock) bytes") }
        let excess = paddingBlock > 1 ? plaintext.bytes.count % paddingBlock : 0
        let filling = excess > 0 ? paddingBlock - excess : 0
        // Checked before any memory is allocated for it.
        let room = Limits.vectorLength - crypto.suite.aeadTagLength - plaintext.bytes.count - filling
        if padding > room {
            throw MLSError(.tooLarge, "a message of \(plaintext.bytes.count) bytes before its padding")
        }
        let zeros = filling + max(0, padding)
        if zeros > 0 { plaintext.writeRaw(repeatElement(0, count: zeros)) }
        let senderData = SenderData(leaf: sender, generation: key.generation, reuseGuard: entropy.bytes(4))
        ciphertext = try crypto.seal(
            key: key.key, nonce: senderData.guarding(key.nonce),
            aad: Self.contentAAD(groupID, epoch, contentType, authenticatedData), plaintext.bytes)
        let keys = SenderData.keys(secret: senderDataSecret, ciphertext: ciphertext, crypto: crypto)
        encryptedSenderData = try crypto.seal(
            key: keys.key, nonce: keys.nonce, aad: Self.senderDataAAD(groupID, epoch, contentType),
            senderData.encoded)
    }

    /// Who sent it, and with which key. Not authenticated before the content has been opened and verified.
    ///
    /// - Throws: `decryptionFailed`, `malformed`.
    package func openSenderData(senderDataSecret: Secret, crypto: any SuiteCrypto) throws(MLSError) -> SenderData {
        let keys = SenderData.keys(secret: senderDataSecret, ciphertext: ciphertext, crypto: crypto)
        let plaintext = try crypto.open(
            key: keys.key, nonce: keys.nonce, aad: Self.senderDataAAD(groupID, epoch, contentType),
            encryptedSenderData)
        return try SenderData(decoding: plaintext)
    }

    /// The content; its signature is still to be verified.
    ///
    /// - Throws: `decryptionFailed`, `malformed` (also for padding that is not zero).
    package func open(
        _ senderData: SenderData, key: SecretTree.MessageKey, crypto: any SuiteCrypto
    ) throws(MLSError) -> AuthenticatedContent {
        let plaintext = try crypto.open(
            key: key.key, nonce: senderData.guarding(key.nonce),
            aad: Self.contentAAD(groupID, epoch, contentType, authenticatedData), ciphertext)
        var reader = TLSReader(plaintext)
        let body = try FramedContent.Body(of: contentType, from: &reader)
        let auth = try FramedContentAuthData(for: contentType, from: &reader)
        if try reader.readRaw(reader.remaining).contains(where: { $0 != 0 }) {
            throw MLSError(.malformed, "the padding of a PrivateMessage is not zero")
        }
        return AuthenticatedContent(
            wireFormat: .privateMessage,
            content: FramedContent(
                groupID: groupID, epoch: epoch, sender: .member(senderData.leaf),
                authenticatedData: authenticatedData, body: body),
            auth: auth)
    }

    /// PrivateContentAAD.
    private static func contentAAD(
        _ groupID: [UInt8], _ epoch: UInt64, _ type: ContentType, _ authenticatedData: [UInt8]
    ) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: groupID.count + authenticatedData.count + 24)
        writer.writeRaw(senderDataAAD(groupID, epoch, type))
        writer.writeOpaque(authenticatedData)
        return writer.bytes
    }

    /// SenderDataAAD.
    private static func senderDataAAD(_ groupID: [UInt8], _ epoch: UInt64, _ type: ContentType) -> [UInt8] {
        var writer = TLSWriter(reservingCapacity: groupID.count + 16)
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(type)
        return writer.bytes
    }
}

extension PrivateMessage: TLSEncodable, TLSDecodable {
    package init(from reader: inout TLSReader) throws(MLSError) {
        groupID = try reader.readOpaque()
        epoch = try reader.read()
        contentType = try reader.read()
        authenticatedData = try reader.readOpaque()
        encryptedSenderData = try reader.readOpaque()
        ciphertext = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeOpaque(groupID)
        writer.write(epoch)
        writer.write(contentType)
        writer.writeOpaque(authenticatedData)
        writer.writeOpaque(encryptedSenderData)
        writer.writeOpaque(ciphertext)
    }
}
