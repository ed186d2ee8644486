import COpenSSL
import OpenSSLPrimitives

/// The primitives of age, from OpenSSL.
enum Primitives {
    static let tagLength = 16
    static let nonceLength = 12

    /// HKDF-SHA-256 (RFC 5869) for one block: 32 bytes.
    static func hkdf(_ secret: SecretBytes, salt: [UInt8], info: String) throws(AgeError) -> SecretBytes {
        let salt = salt.isEmpty ? [UInt8](repeating: 0, count: 32) : salt
        let extracted = try secret.withUnsafeBytes { secret throws(AgeError) in
            try salt.withBytes { salt throws(AgeError) in try hmac(salt, secret) }
        }
        let expanded = Array(info.utf8) + [1]
        return try extracted.withUnsafeBytes { key throws(AgeError) in
            try expanded.withBytes { text throws(AgeError) in try hmac(key, text) }
        }
    }

    /// HMAC-SHA-256 of a text under a key.
    static func hmac(_ key: SecretBytes, _ text: [UInt8]) throws(AgeError) -> [UInt8] {
        let mac = try key.withUnsafeBytes { key throws(AgeError) in
            try text.withBytes { text throws(AgeError) in try hmac(key, text) }
        }
        return mac.withUnsafeBytes { Array($0) }
    }

    private static func hmac(
        _ key: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer
    ) throws(AgeError) -> SecretBytes {
        try SecretBytes(count: HMACSHA256.length) { out throws(AgeError) in
            do throws(PrimitiveError) {
                try HMACSHA256.code(of: text, key: key, into: out)
            } catch {
                throw outOfMemory
            }
        }
    }

    /// X25519 (RFC 7748) with a peer's public key.
    ///
    /// - Returns: nil for a public key of low order.
    static func x25519(_ secret: SecretBytes, _ publicKey: [UInt8]) throws(AgeError) -> SecretBytes? {
        let own = try key(secret)
        defer { EVP_PKEY_free(own) }
        guard let peer = EVP_PKEY_new_raw_public_key_ex(nil, "X25519", nil, publicKey, publicKey.count) else {
            throw AgeError(.invalidKey, "an X25519 key has 32 bytes")
        }
        defer { EVP_PKEY_free(peer) }
        guard let context = EVP_PKEY_CTX_new_from_pkey(nil, own, nil) else { throw outOfMemory }
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer(context, peer) == 1)
        var isUsable = true
        let shared = SecretBytes(count: 32) { out in
            var count = out.count
            // OpenSSL refuses a result of zeros.
            isUsable = EVP_PKEY_derive(context, out.uint8, &count) == 1 && count == out.count
        }
        if !isUsable { ERR_clear_error() }
        return isUsable ? shared : nil
    }

    static func x25519PublicKey(of secret: SecretBytes) throws(AgeError) -> [UInt8] {
        let own = try key(secret)
        defer { EVP_PKEY_free(own) }
        var publicKey = [UInt8](repeating: 0, count: 32)
        var count = publicKey.count
        try check(EVP_PKEY_get_raw_public_key(own, &publicKey, &count) == 1 && count == 32)
        return publicKey
    }

    private static func key(_ secret: SecretBytes) throws(AgeError) -> OpaquePointer {
        let key = secret.withUnsafeBytes {
            EVP_PKEY_new_raw_private_key_ex(nil, "X25519", nil, $0.uint8, $0.count)
        }
        guard let key else { throw AgeError(.invalidKey, "an X25519 key has 32 bytes") }
        return key
    }

    /// scrypt (RFC 7914) with r = 8 and p = 1: 32 bytes, for 2^`workFactor` times 1 KiB of memory. The passphrase is
    /// not empty.
    static func scrypt(_ passphrase: SecretBytes, salt: [UInt8], workFactor: Int) throws(AgeError) -> SecretBytes {
        try SecretBytes(count: 32) { out throws(AgeError) in
            do throws(PrimitiveError) {
                try passphrase.withUnsafeBytes { text throws(PrimitiveError) in
                    try Scrypt.key(
                        of: text, salt: salt, rounds: UInt64(1) << UInt64(workFactor), blockSize: 8, parallelism: 1,
                        into: out)
                }
            } catch {
                throw AgeError(.failed, "there is not enough memory for the passphrase's work factor")
            }
        }
    }

    static func check(_ holds: Bool) throws(AgeError) {
        if holds { return }
        ERR_clear_error()
        throw outOfMemory
    }

    static var outOfMemory: AgeError { AgeError(.failed, "OpenSSL has no memory, or lacks an algorithm") }
}

extension UnsafeRawBufferPointer {
    var uint8: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    var uint8: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension [UInt8] {
    /// The bytes in memory, with typed throws.
    fileprivate func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        try withUnsafeBufferPointer { buffer throws(E) in try body(UnsafeRawBufferPointer(buffer)) }
    }

    /// Passes on the bytes, with typed throws.
    mutating func withBuffer<R, E: Error>(_ body: (UnsafeMutableRawBufferPointer) throws(E) -> R) throws(E) -> R {
        var result: Result<R, E>?
        withUnsafeMutableBytes { buffer in
            do throws(E) { result = .success(try body(buffer)) } catch { result = .failure(error) }
        }
        switch result {
        case .success(let value)?: return value
        case .failure(let error)?: throw error
        case nil: return try body(UnsafeMutableRawBufferPointer(start: nil, count: 0))
        }
    }
}
