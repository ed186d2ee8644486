internal import COpenSSL

/// HMAC-SHA-256 (RFC 2104).
package enum HMACSHA256 {
    /// Of a code, in bytes.
    package static let length = 32

    /// The code of a text under a key, written to `out`, which takes 32 bytes.
    ///
    /// - Throws: ``PrimitiveError``.
    package static func code(
        of text: UnsafeRawBufferPointer, key: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer
    ) throws(PrimitiveError) {
        precondition(out.count >= length, "no room for a code")
        // OpenSSL takes a missing key for the one of the last call.
        let done: Bool
        if let base = key.baseAddress {
            done = HMAC(EVP_sha256(), base, Int32(key.count), text.uint8, text.count, out.uint8, nil) != nil
        } else {
            done = HMAC(EVP_sha256(), "", 0, text.uint8, text.count, out.uint8, nil) != nil
        }
        if done { return }
        ERR_clear_error()
        throw PrimitiveError()
    }
}

/// scrypt (RFC 7914).
package enum Scrypt {
    /// Fills `out` with a key made of a password. Takes 128 · `rounds` · `blockSize` bytes of memory, and the time to
    /// go through it.
    ///
    /// - Parameter rounds: a power of two; N in the RFC.
    /// - Throws: ``PrimitiveError``, if there is not enough memory, or the parameters are out of bounds.
    package static func key(
        of password: UnsafeRawBufferPointer, salt: [UInt8], rounds: UInt64, blockSize: UInt64, parallelism: UInt64,
        into out: UnsafeMutableRawBufferPointer
    ) throws(PrimitiveError) {
        let memory = 128 * blockSize * (rounds + parallelism + 2)
        let done = EVP_PBE_scrypt(
            password.baseAddress?.assumingMemoryBound(to: CChar.self), password.count, salt, salt.count, rounds,
            blockSize, parallelism, memory, out.uint8, out.count)
        if done == 1 { return }
        ERR_clear_error()
        throw PrimitiveError()
    }
}

/// OpenSSL has no memory, or lacks an algorithm.
package struct PrimitiveError: Error {}
