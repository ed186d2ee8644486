import COpenSSL
import MLS

/// The primitives of one cipher suite, called as a C program made for speed would: algorithms fetched once, contexts
/// reused, keys held as key objects.
final class BarePrimitives {
    private let suite: CipherSuite
    private let digest: OpaquePointer
    private let cipher: OpaquePointer
    private let cipherContext: OpaquePointer
    private let digestContext: OpaquePointer
    /// Prepared for signing and verifying, with one key each; copied for each use.
    private let signing: [OpaquePointer]
    private let verifying: [OpaquePointer]
    /// The key whose turn it is. A processor learns the branches of a verification that it sees again and again, but
    /// the signatures of a group's members all differ.
    private var turn = 0
    private let signatureContext: OpaquePointer
    private let agreement: OpaquePointer
    private let peer: OpaquePointer
    private let keygen: OpaquePointer
    /// By length, one of each key.
    private var signatures: [Int: [[UInt8]]] = [:]
    private let data = [UInt8](repeating: 0x5A, count: longest)
    private var out = [UInt8](repeating: 0, count: longest)

    private static let keys = 61
    /// More than is sealed, signed or copied at once: the tree of 1,000 members.
    private static let longest = 1 << 20

    init(_ suite: CipherSuite) throws {
        self.suite = suite
        let (hash, aead): (String, String) =
            switch suite {
            case .x25519_aes128gcm_sha256_ed25519, .p256_aes128gcm_sha256_p256: ("SHA2-256", "AES-128-GCM")
            case .x25519_chacha20poly1305_sha256_ed25519: ("SHA2-256", "ChaCha20-Poly1305")
            case .x448_aes256gcm_sha512_ed448, .p521_aes256gcm_sha512_p521: ("SHA2-512", "AES-256-GCM")
            case .x448_chacha20poly1305_sha512_ed448: ("SHA2-512", "ChaCha20-Poly1305")
            case .p384_aes256gcm_sha384_p384: ("SHA2-384", "AES-256-GCM")
            }
        digest = try made(EVP_MD_fetch(nil, hash, nil))
        cipher = try made(EVP_CIPHER_fetch(nil, aead, nil))
        cipherContext = try made(EVP_CIPHER_CTX_new())
        digestContext = try made(EVP_MD_CTX_new())
        let names = Self.keyNames(suite)
        let signatureKeygen = try Self.keygenContext(names.signature)
        // EdDSA brings its own hash.
        let signingDigest = names.signature.hasPrefix("ED") ? nil : digest
        let contexts = try (0..<Self.keys).map { _ in
            let key = try Self.generate(signatureKeygen)
            let (signing, verifying) = (try made(EVP_MD_CTX_new()), try made(EVP_MD_CTX_new()))
            try check(EVP_DigestSignInit(signing, nil, signingDigest, nil, key))
            try check(EVP_DigestVerifyInit(verifying, nil, signingDigest, nil, key))
            EVP_PKEY_free(key)
            return (signing, verifying)
        }
        EVP_PKEY_CTX_free(signatureKeygen)
        (signing, verifying) = (contexts.map(\.0), contexts.map(\.1))
        signatureContext = try made(EVP_MD_CTX_new())
        keygen = try Self.keygenContext(names.agreement)
        peer = try Self.generate(keygen)
        let own = try Self.generate(keygen)
        agreement = try made(EVP_PKEY_CTX_new_from_pkey(nil, own, nil))
        EVP_PKEY_free(own)
    }

    deinit {
        EVP_MD_free(digest)
        EVP_CIPHER_free(cipher)
        EVP_CIPHER_CTX_free(cipherContext)
        EVP_MD_CTX_free(digestContext)
        for context in signing + verifying { EVP_MD_CTX_free(context) }
        EVP_MD_CTX_free(signatureContext)
        EVP_PKEY_free(peer)
        EVP_PKEY_CTX_free(agreement)
        EVP_PKEY_CTX_free(keygen)
    }

    /// Seconds of this thread for one call, averaged over a few.
    func seconds(_ primitive: Primitive) throws -> Double {
        let repeats =
            switch primitive {
            case .hmac, .seal, .open: 64
            case .copy: 16
            case .sign, .verify, .keygen, .agree: 4
            }
        if case .verify(let length) = primitive, signatures[length] == nil {
            signatures[length] = try signing.map { try sign(length, with: $0) }
        }
        let total = try Clock.thread.seconds {
            for _ in 0..<repeats { try run(primitive) }
        }
        return total / Double(repeats)
    }

    private func run(_ primitive: Primitive) throws {
        turn = (turn + 1) % Self.keys
        switch primitive {
        case .sign(let length): _ = try sign(length, with: signing[turn])
        case .verify(let length): try verify(length)
        case .keygen: EVP_PKEY_free(try Self.generate(keygen))
        case .agree: try agree()
        case .hmac: try hmac()
        case .seal(let length): try encrypt(length, 1)
        // Opening costs the same as sealing, plus the comparison of the tag.
        case .open(let length): try encrypt(length, 0)
        case .copy(let length):
            let length = min(length, Self.longest)
            out.withUnsafeMutableBytes { out in
                data.withUnsafeBytes { out.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<length])) }
            }
        }
    }

    private func sign(_ length: Int, with key: OpaquePointer) throws -> [UInt8] {
        if length > Self.longest { throw Trouble("nothing so long is signed: \(length) bytes") }
        try check(EVP_MD_CTX_copy_ex(signatureContext, key))
        var count = out.count
        try check(EVP_DigestSign(signatureContext, &out, &count, data, length))
        return Array(out[..<count])
    }

    private func verify(_ length: Int) throws {
        let signature = signatures[length]?[turn] ?? []
        try check(EVP_MD_CTX_copy_ex(signatureContext, verifying[turn]))
        try check(EVP_DigestVerify(signatureContext, signature, signature.count, data, length))
    }

    /// Without the check of the peer's key, which the curve does not need.
    private func agree() throws {
        try check(EVP_PKEY_derive_init(agreement))
        try check(EVP_PKEY_derive_set_peer_ex(agreement, peer, 0))
        var count = out.count
        try check(EVP_PKEY_derive(agreement, &out, &count))
    }

    /// Two hashes of a padded key, with 64 bytes and with the inner hash after it.
    private func hmac() throws {
        let block = Int(EVP_MD_get_block_size(digest))
        for length in [64, suite.hashLength] {
            try check(EVP_DigestInit_ex2(digestContext, digest, nil))
            try check(EVP_DigestUpdate(digestContext, data, block))
            try check(EVP_DigestUpdate(digestContext, data, length))
            try check(EVP_DigestFinal_ex(digestContext, &out, nil))
        }
    }

    private func encrypt(_ length: Int, _ encrypt: Int32) throws {
        var written: Int32 = 0
        try check(EVP_CipherInit_ex2(cipherContext, cipher, data, data, encrypt, nil))
        try check(EVP_CipherUpdate(cipherContext, nil, &written, data, 32))
        try check(EVP_CipherUpdate(cipherContext, &out, &written, data, Int32(length)))
        if encrypt == 1 {
            try check(EVP_CipherFinal_ex(cipherContext, &out, &written))
            try check(EVP_CIPHER_CTX_ctrl(cipherContext, EVP_CTRL_AEAD_GET_TAG, 16, &out))
        } else {
            // The data is not a ciphertext of this key: the work is the same, and a wrong tag does not matter.
            try check(EVP_CIPHER_CTX_ctrl(cipherContext, EVP_CTRL_AEAD_SET_TAG, 16, &out))
            _ = EVP_CipherFinal_ex(cipherContext, &out, &written)
            ERR_clear_error()
        }
    }

    private static func keyNames(_ suite: CipherSuite) -> (signature: String, agreement: String) {
        switch suite {
        case .x25519_aes128gcm_sha256_ed25519, .x25519_chacha20poly1305_sha256_ed25519: ("ED25519", "X25519")
        case .x448_aes256gcm_sha512_ed448, .x448_chacha20poly1305_sha512_ed448: ("ED448", "X448")
        case .p256_aes128gcm_sha256_p256: ("P-256", "P-256")
        case .p384_aes256gcm_sha384_p384: ("P-384", "P-384")
        case .p521_aes256gcm_sha512_p521: ("P-521", "P-521")
        }
    }

    private static func keygenContext(_ name: String) throws -> OpaquePointer {
        let isNIST = name.hasPrefix("P-")
        let context = try made(EVP_PKEY_CTX_new_from_name(nil, isNIST ? "EC" : name, nil))
        try check(EVP_PKEY_keygen_init(context))
        if isNIST { try check(EVP_PKEY_CTX_set_group_name(context, name)) }
        return context
    }

    private static func generate(_ context: OpaquePointer) throws -> OpaquePointer {
        var key: OpaquePointer?
        try check(EVP_PKEY_generate(context, &key))
        return try made(key)
    }
}

private func made<T>(_ object: T?) throws -> T {
    guard let object else { throw Trouble("OpenSSL has no memory or lacks an algorithm") }
    return object
}

private func check(_ result: Int32) throws {
    if result != 1 { throw Trouble("a bare primitive fails") }
}
