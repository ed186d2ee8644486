import ConclaveProtocol
public import MLS

/// Signs for an account, with the key by which its groups know it.
///
/// What is signed has to begin with a label of its own: MLS signs a length and "MLS 1.0 " in front of everything (RFC
/// 9420 §5.1.2), and nothing else may ever look like that.
public struct AccountSigner: Sendable {
    private static let cipherSuite = CipherSuite.x448_chacha20poly1305_sha512_ed448

    private let crypto: any SuiteCrypto
    private let key: SignaturePrivateKey

    /// - Throws: ``StoreError``; ``CoreError`` `notSignedIn`; `MLSError` if the stored key is damaged.
    public init(_ reader: AccountReader, _ provider: any CryptoProvider) throws {
        guard let account = try reader.account() else {
            throw CoreError.notSignedIn
        }
        crypto = try provider.suite(Self.cipherSuite)
        key = try crypto.signatureKey(raw: account.signatureKey)
    }

    /// The number of the cipher suite whose signature scheme it is (RFC 9420 §17.1): 6, Ed448.
    public var suite: UInt16 { Self.cipherSuite.rawValue }
    /// 57 bytes.
    public var publicKey: [UInt8] { key.publicKey }

    /// - Throws: `MLSError` if OpenSSL fails.
    public func sign(_ message: [UInt8]) throws -> [UInt8] { try crypto.sign(key, message) }

    /// Whether a signature is valid; false for a suite that is not known.
    public static func verify(
        suite: UInt16, publicKey: [UInt8], _ message: [UInt8], signature: [UInt8], _ provider: any CryptoProvider
    ) -> Bool {
        guard let suite = CipherSuite(rawValue: suite), let crypto = try? provider.suite(suite) else { return false }
        return crypto.verify(publicKey: publicKey, message, signature: signature)
    }
}
