internal import COpenSSL

/// What secrets need.
package enum Secrets {
    /// Compares in a time that depends on the lengths alone, which are not secret.
    package static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
    }

    /// Zeroes memory in a way that no compiler takes out.
    package static func wipe(_ bytes: UnsafeMutableRawBufferPointer) {
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
    }

    /// Bytes of OpenSSL's generator for private values, which the operating system seeds.
    ///
    /// - Throws: ``PrimitiveError``, if the system has no randomness.
    package static func random(_ count: Int) throws(PrimitiveError) -> [UInt8] {
        var isDone = false
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            isDone = RAND_priv_bytes_ex(nil, buffer.baseAddress, count, 0) == 1
            initialized = isDone ? count : 0
        }
        if isDone { return bytes }
        ERR_clear_error()
        throw PrimitiveError()
    }
}
