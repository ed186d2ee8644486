/// A cipher suite of RFC 9420 §17.1.
public enum CipherSuite: UInt16, CaseIterable, Hashable, Sendable {
    case x25519_aes128gcm_sha256_ed25519 = 1
    case p256_aes128gcm_sha256_p256 = 2
    case x25519_chacha20poly1305_sha256_ed25519 = 3
    case x448_aes256gcm_sha512_ed448 = 4
    case p521_aes256gcm_sha512_p521 = 5
    case x448_chacha20poly1305_sha512_ed448 = 6
    case p384_aes256gcm_sha384_p384 = 7

    /// `KDF.Nh`, in bytes.
    public var hashLength: Int {
        switch rawValue {
        case 4, 5, 6: 64
        case 7: 48
        default: 32
        }
    }

    /// `AEAD.Nk`, in bytes.
    public var aeadKeyLength: Int { rawValue <= 2 ? 16 : 32 }
    /// `AEAD.Nn`, in bytes; 12 in every suite.
    public var aeadNonceLength: Int { 12 }
    /// The AEAD's tag, in bytes; 16 in every suite.
    public var aeadTagLength: Int { 16 }
}

extension CipherSuite: TLSEncodable, TLSDecodable {
    /// A cipher suite's number, known to us or not: what capabilities list.
    public struct Identifier: RegistryValue {
        public let rawValue: UInt16

        public init(rawValue: UInt16) { self.rawValue = rawValue }
    }

    public var identifier: Identifier { Identifier(rawValue) }

    /// - Throws: `unsupported` for a suite we do not know.
    package init(from reader: inout TLSReader) throws(MLSError) {
        let identifier = try reader.read(UInt16.self)
        guard let suite = CipherSuite(rawValue: identifier) else {
            throw MLSError(.unsupported, "cipher suite \(identifier)")
        }
        self = suite
    }

    package func encode(to writer: inout TLSWriter) {
        writer.write(rawValue)
    }
}
