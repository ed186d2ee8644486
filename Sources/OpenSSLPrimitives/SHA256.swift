internal import COpenSSL

/// SHA-256 (FIPS 180-4), with one context that is used again for each text.
///
/// `@unchecked Sendable`: threads that share it use it one at a time.
package final class SHA256: @unchecked Sendable {
    /// Of a hash, in bytes.
    package static let length = 32
    private let context: OpaquePointer
    private var isReady = false

    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("a digest ran out of memory") }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Begins a text, whatever was hashed before.
    package func begin() {
        // Naming the algorithm makes OpenSSL look it up; a context that has it starts again for a fraction of that.
        Self.check(EVP_DigestInit_ex(context, isReady ? nil : EVP_sha256(), nil))
        isReady = true
    }

    package func update(_ bytes: UnsafeRawBufferPointer) {
        Self.check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    /// The hash of what was added since ``begin()``.
    package func end() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.length)
        Self.check(EVP_DigestFinal_ex(context, &digest, nil))
        return digest
    }

    /// The hash of a text, written to the first 32 bytes of `out`. It takes no memory, so it suits very many short texts.
    package static func digest(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) {
        precondition(out.count >= length, "no room for a hash")
        check(waxwing_sha256(bytes.baseAddress, bytes.count, out.uint8))
    }

    /// The hash of a text.
    package static func of(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { buffer, count in
            check(waxwing_sha256(bytes, bytes.count, buffer.baseAddress))
            count = length
        }
    }

    private static func check(_ result: Int32) {
        precondition(result == 1, "OpenSSL has no memory, or no SHA-256")
    }
}
