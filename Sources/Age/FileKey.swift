/// The key that a file's stanzas hold: 16 random bytes, different for each file.
enum FileKey {
    static let length = 16
    private static let bodyLength = length + Primitives.tagLength
    private static let zeroNonce = [UInt8](repeating: 0, count: Primitives.nonceLength)

    /// The stanzas that hold the key for the given recipients.
    static func wrap(_ key: SecretBytes, for sealing: AgeSealing, _ entropy: AgeEntropy) throws(AgeError)
        -> [AgeHeader.Stanza]
    {
        switch sealing {
        case .recipients(let recipients):
            guard (1...100).contains(recipients.count) else {
                throw AgeError(.invalidKey, "a file is for 1 to 100 recipients, not \(recipients.count)")
            }
            var stanzas: [AgeHeader.Stanza] = []
            for recipient in recipients { stanzas.append(try X25519.wrap(key, for: recipient, entropy)) }
            return stanzas
        case .passphrase(let passphrase, let workFactor):
            guard passphrase.count > 0 else { throw AgeError(.invalidKey, "the passphrase is empty") }
            guard (1...30).contains(workFactor) else {
                throw AgeError(.invalidKey, "a work factor is 1 to 30, not \(workFactor)")
            }
            return [try Scrypt.wrap(key, passphrase, workFactor, entropy)]
        }
    }

    /// The key from the header's stanzas.
    ///
    /// - Throws: `wrongKey` if no identity fits; `malformedHeader`, `workFactorTooHigh`, `damagedHeader`.
    static func unwrap(_ header: AgeHeader, by opening: AgeOpening) throws(AgeError) -> SecretBytes {
        let isForPassphrase = header.stanzas.contains { $0.type == Scrypt.type }
        if isForPassphrase, header.stanzas.count != 1 {
            throw AgeHeader.malformed("a passphrase stands beside other recipients")
        }
        let key: SecretBytes?
        switch opening {
        case .passphrase(let passphrase, let highest):
            guard isForPassphrase else {
                throw AgeError(.wrongKey, "the file is not sealed with a passphrase: an identity opens it")
            }
            key = try Scrypt.unwrap(header.stanzas[0], passphrase, highest)
            if key == nil {
                throw AgeError(.wrongKey, "the passphrase is wrong, or the line that holds the key is damaged")
            }
        case .identities(let identities):
            if isForPassphrase {
                throw AgeError(.wrongKey, "the file is sealed with a passphrase: no identity opens it")
            }
            key = try unwrap(header.stanzas, identities)
        }
        guard let key else {
            throw AgeError(.wrongKey, "none of the identities given opens the file: it is sealed to others")
        }
        try header.check(key)
        return key
    }

    private static func unwrap(_ stanzas: [AgeHeader.Stanza], _ identities: [AgeIdentity]) throws(AgeError)
        -> SecretBytes?
    {
        for stanza in stanzas where stanza.type == X25519.type {
            for identity in identities {
                if let key = try X25519.unwrap(stanza, identity) { return key }
            }
        }
        return nil
    }

    private static func seal(_ key: SecretBytes, under wrapping: SecretBytes) throws(AgeError) -> [UInt8] {
        let cipher = try ChunkCipher(key: wrapping, isSealing: true)
        var body = [UInt8](repeating: 0, count: bodyLength)
        try key.withUnsafeBytes { key throws(AgeError) in
            try body.withBuffer { out throws(AgeError) in try cipher.seal(key, nonce: zeroNonce, into: out) }
        }
        return body
    }

    /// Nil if the body is sealed under another key.
    private static func open(_ stanza: AgeHeader.Stanza, under wrapping: SecretBytes) throws(AgeError) -> SecretBytes? {
        let cipher = try ChunkCipher(key: wrapping, isSealing: false)
        var body = stanza.body
        var isOpen = false
        let key = try SecretBytes(count: length) { out throws(AgeError) in
            isOpen = try body.withBuffer { sealed throws(AgeError) in
                try cipher.open(UnsafeRawBufferPointer(sealed), nonce: zeroNonce, into: out)
            }
        }
        return isOpen ? key : nil
    }

    /// A body of another length would let its maker try several keys at once.
    private static func checkBody(_ stanza: AgeHeader.Stanza) throws(AgeError) {
        guard stanza.body.count == bodyLength else {
            throw AgeHeader.malformed("a stanza of type \(stanza.type) does not hold a file key")
        }
    }

    // MARK: X25519 recipients

    private enum X25519 {
        static let type = "X25519"
        private static let info = "age-encryption.org/v1/X25519"

        static func wrap(_ key: SecretBytes, for recipient: AgeRecipient, _ entropy: AgeEntropy) throws(AgeError)
            -> AgeHeader.Stanza
        {
            let ephemeral = entropy(32)
            let share = try Primitives.x25519PublicKey(of: ephemeral)
            guard let shared = try Primitives.x25519(ephemeral, recipient.publicKey) else {
                throw AgeError(.invalidKey, "the recipient \(recipient) is not a usable key")
            }
            let wrapping = try Primitives.hkdf(shared, salt: share + recipient.publicKey, info: info)
            return AgeHeader.Stanza(
                type: type, arguments: [Base64.encode(share)], body: try seal(key, under: wrapping))
        }

        static func unwrap(_ stanza: AgeHeader.Stanza, _ identity: AgeIdentity) throws(AgeError) -> SecretBytes? {
            guard stanza.arguments.count == 1, let share = Base64.decode(stanza.arguments[0]), share.count == 32 else {
                throw AgeHeader.malformed("an X25519 stanza has no share of 32 bytes")
            }
            try checkBody(stanza)
            guard let shared = try Primitives.x25519(identity.privateKey, share) else {
                throw AgeHeader.malformed("an X25519 stanza has a share of low order")
            }
            let wrapping = try Primitives.hkdf(shared, salt: share + identity.recipient.publicKey, info: info)
            return try open(stanza, under: wrapping)
        }
    }

    // MARK: Passphrases

    private enum Scrypt {
        static let type = "scrypt"
        private static let label = Array("age-encryption.org/v1/scrypt".utf8)
        private static let saltLength = 16

        static func wrap(_ key: SecretBytes, _ passphrase: SecretBytes, _ workFactor: Int, _ entropy: AgeEntropy)
            throws(AgeError) -> AgeHeader.Stanza
        {
            let salt = entropy(saltLength).withUnsafeBytes { Array($0) }
            let wrapping = try Primitives.scrypt(passphrase, salt: label + salt, workFactor: workFactor)
            return AgeHeader.Stanza(
                type: type, arguments: [Base64.encode(salt), Array("\(workFactor)".utf8)],
                body: try seal(key, under: wrapping))
        }

        static func unwrap(_ stanza: AgeHeader.Stanza, _ passphrase: SecretBytes, _ highest: Int) throws(AgeError)
            -> SecretBytes?
        {
            guard stanza.arguments.count == 2, let salt = Base64.decode(stanza.arguments[0]), salt.count == saltLength
            else { throw AgeHeader.malformed("a scrypt stanza has no salt of 16 bytes") }
            let digits = stanza.arguments[1]
            guard digits.first.map({ $0 != UInt8(ascii: "0") }) == true, digits.count <= 3,
                digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
            else { throw AgeHeader.malformed("a scrypt stanza has no work factor") }
            try checkBody(stanza)
            if passphrase.count == 0 { return nil }
            let workFactor = digits.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
            guard workFactor <= min(highest, 30) else {
                throw AgeError(
                    .workFactorTooHigh,
                    "the passphrase's work factor is \(workFactor), more than the \(highest) allowed")
            }
            let wrapping = try Primitives.scrypt(passphrase, salt: label + salt, workFactor: workFactor)
            return try open(stanza, under: wrapping)
        }
    }
}
