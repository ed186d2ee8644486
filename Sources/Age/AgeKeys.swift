/// A recipient of a file: an X25519 public key, as `age1…`.
public struct AgeRecipient: Hashable, Sendable, CustomStringConvertible {
    /// 32 bytes.
    let publicKey: [UInt8]

    init(publicKey: [UInt8]) { self.publicKey = publicKey }

    /// - Throws: ``AgeError`` `invalidKey`, `unsupported` for recipients of another kind.
    public init(_ text: String) throws(AgeError) {
        let lower = text.lowercased()
        if lower.hasPrefix("age1pq1") {
            throw AgeError(
                .unsupported, "hybrid (post-quantum) recipients are not supported: use one that age-keygen makes")
        }
        if lower.hasPrefix("ssh-") {
            throw AgeError(.unsupported, "SSH keys are not supported: use a recipient that begins with age1")
        }
        guard let (prefix, bytes) = Bech32.decode(text) else {
            throw AgeError(.invalidKey, "this is no recipient (age1…), or a letter in it is wrong")
        }
        guard prefix == "age", bytes.count == 32 else {
            throw AgeError(
                .unsupported, "recipients of the kind \(prefix) are not supported: use one that begins with age1")
        }
        publicKey = bytes
    }

    public var text: String { Bech32.encode(publicKey, prefix: "age") }
    public var description: String { text }
}

/// An identity that opens what is encrypted to its recipient: an X25519 private key, as `AGE-SECRET-KEY-1…`.
public struct AgeIdentity: Sendable {
    let privateKey: SecretBytes
    public let recipient: AgeRecipient

    init(privateKey: SecretBytes) throws(AgeError) {
        self.privateKey = privateKey
        recipient = AgeRecipient(publicKey: try Primitives.x25519PublicKey(of: privateKey))
    }

    /// A new one, of 32 random bytes.
    public static func generate(_ entropy: AgeEntropy) throws(AgeError) -> AgeIdentity {
        try AgeIdentity(privateKey: entropy(32))
    }

    /// - Throws: ``AgeError`` `invalidKey`, `unsupported` for identities of another kind. The reason does not repeat
    ///   the text.
    public init(_ text: String) throws(AgeError) {
        if text.lowercased().hasPrefix("age-secret-key-pq-") {
            throw AgeError(.unsupported, "hybrid (post-quantum) identities are not supported")
        }
        guard let (prefix, bytes) = Bech32.decode(text) else {
            throw AgeError(.invalidKey, "this is no identity (AGE-SECRET-KEY-1…), or a letter in it is wrong")
        }
        guard prefix == "age-secret-key-", bytes.count == 32 else {
            throw AgeError(.unsupported, "identities of the kind \(prefix) are not supported")
        }
        try self.init(privateKey: SecretBytes(bytes))
    }

    /// Reads a file as `age-keygen` writes it: one identity per line, comments after `#`, empty lines.
    ///
    /// - Throws: ``AgeError`` that names the line; `invalidKey` if there is no identity.
    public static func parse(_ file: [UInt8]) throws(AgeError) -> [AgeIdentity] {
        var identities: [AgeIdentity] = []
        for (number, line) in file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).enumerated() {
            var line = line
            while line.last == UInt8(ascii: "\r") || line.last == UInt8(ascii: " ") { line.removeLast() }
            if line.isEmpty || line.first == UInt8(ascii: "#") { continue }
            do {
                identities.append(try AgeIdentity(String(decoding: line, as: UTF8.self)))
            } catch {
                throw AgeError(error.code, "line \(number + 1): \(error.reason)")
            }
        }
        if identities.isEmpty { throw AgeError(.invalidKey, "there is no identity (AGE-SECRET-KEY-1…) in it") }
        return identities
    }

    /// The identity as text, in upper case, for writing it down. The text is not wiped.
    public var unwipedText: String {
        privateKey.withUnsafeBytes { Bech32.encode(Array($0), prefix: "age-secret-key-") }.uppercased()
    }
}

/// Who can open a new file.
public enum AgeSealing: Sendable {
    /// Any of these opens it; at least one, at most 100.
    case recipients([AgeRecipient])
    /// Anyone who knows the passphrase opens it. The work factor is the logarithm of scrypt's cost: 18 takes a second
    /// and 256 MiB.
    case passphrase(SecretBytes, workFactor: Int = 18)
}

/// The keys that open a file.
public enum AgeOpening: Sendable {
    case identities([AgeIdentity])
    /// A file with a higher work factor than this is refused: each step doubles time and memory (2^factor KiB).
    case passphrase(SecretBytes, highestWorkFactor: Int = 20)
}
