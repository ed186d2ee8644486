import COpenSSL
import OpenSSLPrimitives

/// ChaCha20-Poly1305 (RFC 8439) under one key, with one context that is reused for every message.
///
/// `@unchecked Sendable`: threads that share it use it one at a time.
final class ChunkCipher: @unchecked Sendable {
    private let context: OpaquePointer
    private let isSealing: Bool

    init(key: SecretBytes, isSealing: Bool) throws(AgeError) {
        self.isSealing = isSealing
        guard let context = EVP_CIPHER_CTX_new() else { throw Primitives.outOfMemory }
        self.context = context
        let done = key.withUnsafeBytes {
            EVP_CipherInit_ex2(context, EVP_chacha20_poly1305(), $0.uint8, nil, isSealing ? 1 : 0, nil)
        }
        try Primitives.check(done == 1)
    }

    deinit { EVP_CIPHER_CTX_free(context) }

    /// Seals `plaintext` into `out`, which takes 16 bytes more.
    func seal(_ plaintext: UnsafeRawBufferPointer, nonce: [UInt8], into out: UnsafeMutableRawBufferPointer)
        throws(AgeError)
    {
        var written: Int32 = 0
        guard EVP_CipherInit_ex2(context, nil, nil, nonce, 1, nil) == 1,
            plaintext.isEmpty
                || EVP_CipherUpdate(context, out.uint8, &written, plaintext.uint8, Int32(plaintext.count)) == 1,
            EVP_CipherFinal_ex(context, out.uint8?.advanced(by: plaintext.count), &written) == 1,
            EVP_CIPHER_CTX_ctrl(
                context, EVP_CTRL_AEAD_GET_TAG, Int32(Primitives.tagLength), out.uint8?.advanced(by: plaintext.count))
                == 1
        else { return try Primitives.check(false) }
    }

    /// Opens `sealed` into `out`, which takes 16 bytes less.
    ///
    /// - Returns: false if it does not authenticate; then nothing of it is in `out`.
    func open(_ sealed: UnsafeRawBufferPointer, nonce: [UInt8], into out: UnsafeMutableRawBufferPointer)
        throws(AgeError) -> Bool
    {
        let length = sealed.count - Primitives.tagLength
        guard length >= 0 else { return false }
        // OpenSSL's function takes a mutable pointer for all its purposes; this one only reads.
        let tag = sealed.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + length) }
        try Primitives.check(
            EVP_CipherInit_ex2(context, nil, nil, nonce, 0, nil) == 1
                && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Primitives.tagLength), tag) == 1)
        var written: Int32 = 0
        var nothing: UInt8 = 0
        let isOpen =
            (length == 0 || EVP_CipherUpdate(context, out.uint8, &written, sealed.uint8, Int32(length)) == 1)
            && withUnsafeMutablePointer(to: &nothing) {
                EVP_CipherFinal_ex(context, out.uint8?.advanced(by: length) ?? $0, &written) == 1
            }
        if !isOpen {
            Secrets.wipe(UnsafeMutableRawBufferPointer(rebasing: out[..<length]))
            ERR_clear_error()
        }
        return isOpen
    }
}
