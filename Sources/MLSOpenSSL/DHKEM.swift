import COpenSSL
import MLS

/// The Diffie-Hellman based KEM of RFC 9180 §4.1.
struct DHKEM: Sendable {
    let group: any DiffieHellmanGroup
    private let kdf: LabelledKDF

    /// How a private key is made from derived bytes.
    enum Derivation {
        /// Any bytes are a private key.
        case direct
        /// Bytes are tried, the first one masked, until they are in range.
        case candidates(firstByteMask: UInt8)
    }

    init(group: any DiffieHellmanGroup, hash: HashFunction) {
        self.group = group
        kdf = LabelledKDF(hash: hash, suiteID: Array("KEM".utf8) + bigEndian(group.kemIdentifier))
    }

    /// DeriveKeyPair (RFC 9180 §7.1.3).
    func deriveKeyPair(ikm: Secret) throws(MLSError) -> HPKEPrivateKey {
        let prk = kdf.extract(salt: .empty, label: "dkp_prk", ikm)
        switch group.derivation {
        case .direct:
            return try group.key(raw: kdf.expand(prk, label: "sk", info: [], length: group.privateKeyLength))
        case .candidates(let mask):
            for counter in UInt8.min...UInt8.max {
                let candidate = kdf.expand(prk, label: "candidate", info: [counter], length: group.privateKeyLength)
                let masked = candidate.maskingFirstByte(mask)
                if group.isPrivateKey(masked) { return try group.key(raw: masked) }
            }
            throw MLSError(.cryptoFailure, "no private key can be derived")
        }
    }

    /// Encap: a shared secret, and what conveys it to the owner of the public key.
    func encapsulate(to publicKey: [UInt8], _ entropy: any EntropySource)
        throws(MLSError) -> (shared: Secret, enc: [UInt8])
    {
        try encapsulate(to: publicKey, ikm: drawIKM(entropy))
    }

    /// What an ephemeral key is derived from: all the randomness that an encapsulation needs.
    func drawIKM(_ entropy: any EntropySource) -> Secret { entropy.secret(group.privateKeyLength) }

    /// Encap with randomness that was drawn before.
    func encapsulate(to publicKey: [UInt8], ikm: Secret) throws(MLSError) -> (shared: Secret, enc: [UInt8]) {
        let ephemeral = try deriveKeyPair(ikm: ikm)
        let dh = try group.agree(ephemeral, with: publicKey)
        return (sharedSecret(dh, context: ephemeral.publicKey + publicKey), ephemeral.publicKey)
    }

    /// Decap.
    func decapsulate(_ enc: [UInt8], with key: HPKEPrivateKey) throws(MLSError) -> Secret {
        let dh = try group.agree(key, with: enc)
        return sharedSecret(dh, context: enc + key.publicKey)
    }

    private func sharedSecret(_ dh: Secret, context: [UInt8]) -> Secret {
        let prk = kdf.extract(salt: .empty, label: "eae_prk", dh)
        return kdf.expand(prk, label: "shared_secret", info: context, length: group.sharedSecretLength)
    }
}

extension Secret {
    /// The same bytes with the first one's bits reduced to those of `mask`.
    func maskingFirstByte(_ mask: UInt8) -> Secret {
        if mask == 0xFF { return self }
        return Secret(count: count) { out in
            withUnsafeBytes { out.copyMemory(from: $0) }
            if !out.isEmpty { out[0] &= mask }
        }
    }
}
