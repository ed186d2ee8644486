/// What added members get: the new epoch's GroupInfo, and for each of them the secrets to open it (RFC 9420 §12.4.3.1).
package struct Welcome: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let suite: CipherSuite
    package let secrets: [EncryptedGroupSecrets]
    package let encryptedGroupInfo: [UInt8]

    package init(suite: CipherSuite, secrets: [EncryptedGroupSecrets], encryptedGroupInfo: [UInt8]) {
        self.suite = suite
        self.secrets = secrets
        self.encryptedGroupInfo = encryptedGroupInfo
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        suite = try reader.read()
        secrets = try reader.readVector()
        encryptedGroupInfo = try reader.readOpaque()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(suite)
        writer.writeVector(secrets)
        writer.writeOpaque(encryptedGroupInfo)
    }
}

extension Welcome {
    /// Makes a Welcome for new members.
    package init(
        groupInfo: GroupInfo, joinerSecret: Secret, memberSecret: Secret, psks: [PreSharedKeyID],
        joiners: [(keyPackage: KeyPackage, pathSecret: Secret?)], crypto: any SuiteCrypto,
        entropy: any EntropySource
    ) throws(MLSError) {
        let (key, nonce) = Self.groupInfoKey(memberSecret: memberSecret, crypto: crypto)
        let sealed = try crypto.seal(key: key, nonce: nonce, aad: [], groupInfo.encoded)
        let parcels = joiners.map { joiner in
            let groupSecrets = GroupSecrets(joinerSecret: joinerSecret, pathSecret: joiner.pathSecret, psks: psks)
            return HPKEParcel(publicKey: joiner.keyPackage.initKey, plaintext: groupSecrets.sealable)
        }
        let ciphertexts = try crypto.encryptWithLabel(parcels, label: "Welcome", context: sealed, entropy)
        let secrets = zip(joiners, ciphertexts).map { joiner, ciphertext in
            EncryptedGroupSecrets(newMember: joiner.keyPackage.ref(crypto: crypto), sealed: ciphertext)
        }
        self.init(suite: crypto.suite, secrets: secrets, encryptedGroupInfo: sealed)
    }

    /// - Throws: `decryptionFailed`, `malformed`.
    package func openGroupSecrets(
        _ entry: EncryptedGroupSecrets, with initKey: HPKEPrivateKey, crypto: any SuiteCrypto
    ) throws(MLSError) -> GroupSecrets {
        let opened = try crypto.decryptWithLabel(
            entry.sealed, with: initKey, label: "Welcome", context: encryptedGroupInfo)
        return try GroupSecrets(opened)
    }

    /// - Throws: `decryptionFailed`, `malformed`.
    package func openGroupInfo(memberSecret: Secret, crypto: any SuiteCrypto) throws(MLSError) -> GroupInfo {
        let (key, nonce) = Self.groupInfoKey(memberSecret: memberSecret, crypto: crypto)
        return try GroupInfo(decoding: try crypto.open(key: key, nonce: nonce, aad: [], encryptedGroupInfo))
    }

    private static func groupInfoKey(
        memberSecret: Secret, crypto: any SuiteCrypto
    ) -> (key: Secret, nonce: [UInt8]) {
        let secret = KeySchedule.welcomeSecret(memberSecret: memberSecret, crypto: crypto)
        let key = crypto.expandWithLabel(secret, label: "key", context: [], length: crypto.suite.aeadKeyLength)
        let nonce = crypto.expandWithLabel(secret, label: "nonce", context: [], length: crypto.suite.aeadNonceLength)
        return (key, nonce.unwipedCopy)
    }
}

/// One joiner's part of a Welcome.
package struct EncryptedGroupSecrets: Hashable, Sendable, TLSEncodable, TLSDecodable {
    package let newMember: KeyPackageRef
    package let sealed: HPKECiphertext

    package init(newMember: KeyPackageRef, sealed: HPKECiphertext) {
        self.newMember = newMember
        self.sealed = sealed
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        newMember = try reader.read()
        sealed = try reader.read()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(newMember)
        writer.write(sealed)
    }
}

/// What is sealed to each joiner.
package struct GroupSecrets: Sendable, TLSEncodable, TLSDecodable {
    package let joinerSecret: Secret
    /// The secret of the lowest node above both the committer and the joiner; nil when the commit had no path.
    package let pathSecret: Secret?
    package let psks: [PreSharedKeyID]

    package init(joinerSecret: Secret, pathSecret: Secret?, psks: [PreSharedKeyID]) {
        self.joinerSecret = joinerSecret
        self.pathSecret = pathSecret
        self.psks = psks
    }

    package init(from reader: inout TLSReader) throws(MLSError) {
        joinerSecret = try reader.readSecret()
        switch try reader.read(UInt8.self) {
        case 0: pathSecret = nil
        case 1: pathSecret = try reader.readSecret()
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
        psks = try reader.readVector()
    }

    /// - Throws: `malformed`.
    init(_ opened: Secret) throws(MLSError) {
        var copy = opened.unwipedCopy
        defer { copy.withUnsafeMutableBytes { wipe($0) } }
        try self.init(decoding: copy)
    }

    /// The encoding, which is in no other place.
    var sealable: Secret {
        let ids = psks.reduce(0) { $0 + $1.encoded.count }
        var writer = TLSWriter(reservingCapacity: joinerSecret.count + (pathSecret?.count ?? 0) + ids + 16)
        encode(to: &writer)
        return writer.takeSecret()
    }

    package func encode(to writer: inout TLSWriter) {
        writer.writeSecret(joinerSecret)
        if let pathSecret {
            writer.write(UInt8(1))
            writer.writeSecret(pathSecret)
        } else {
            writer.write(UInt8(0))
        }
        writer.writeVector(psks)
    }
}
