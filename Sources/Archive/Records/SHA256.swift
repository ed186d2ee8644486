import COpenSSL

/// SHA-256, with one context that is reused.
///
/// `@unchecked Sendable`: threads that share it use it one at a time.
final class SHA256: @unchecked Sendable {
    static let length = 32
    private let context: OpaquePointer?
    private var isReady = false

    init() { context = EVP_MD_CTX_new() }
    deinit { EVP_MD_CTX_free(context) }

    /// - Throws: `failed` if OpenSSL has no memory.
    func begin() throws(ArchiveError) {
        // Naming the algorithm makes OpenSSL look it up; a context that has it starts again for a fraction of that.
        try check(EVP_DigestInit_ex(context, isReady ? nil : EVP_sha256(), nil))
        isReady = true
    }

    func update(_ bytes: UnsafeRawBufferPointer) throws(ArchiveError) {
        try check(EVP_DigestUpdate(context, bytes.baseAddress, bytes.count))
    }

    func end() throws(ArchiveError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.length)
        try check(EVP_DigestFinal_ex(context, &digest, nil))
        return digest
    }

    /// The hash of all of it; written to `out`, which takes 32 bytes.
    @inline(__always)
    static func digest(_ bytes: UnsafeRawBufferPointer, into out: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
        guard out.count >= length,
            waxwing_sha256(bytes.baseAddress, bytes.count, out.baseAddress?.assumingMemoryBound(to: UInt8.self)) == 1
        else { throw ArchiveError(.failed, "OpenSSL cannot hash") }
    }

    static func of(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: length)
        EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
        return digest
    }

    private func check(_ result: Int32) throws(ArchiveError) {
        if result != 1 { throw ArchiveError(.failed, "OpenSSL has no memory") }
    }
}
