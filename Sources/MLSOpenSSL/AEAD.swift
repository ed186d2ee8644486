import COpenSSL
import MLS

/// An AEAD with a 12 byte nonce and a 16 byte tag at the end of its ciphertext.
final class AEAD: @unchecked Sendable {
    enum Algorithm: String {
        case aes128GCM = "AES-128-GCM"
        case aes256GCM = "AES-256-GCM"
        case chaCha20Poly1305 = "ChaCha20-Poly1305"
    }

    static let nonceLength = 12
    static let tagLength = 16

    let keyLength: Int
    /// The algorithm's number in RFC 9180 §7.3.
    let identifier: UInt16
    /// Fetched once and then only read, so it is safe to share between threads.
    private let cipher: OpaquePointer

    init?(_ algorithm: Algorithm) {
        guard let cipher = EVP_CIPHER_fetch(nil, algorithm.rawValue, nil) else { return nil }
        self.cipher = cipher
        keyLength = algorithm == .aes128GCM ? 16 : 32
        switch algorithm {
        case .aes128GCM: identifier = 1
        case .aes256GCM: identifier = 2
        case .chaCha20Poly1305: identifier = 3
        }
    }

    deinit { EVP_CIPHER_free(cipher) }

    /// - Throws: `decryptionFailed` if there is no room for the tag.
    func plaintextLength(_ ciphertext: [UInt8]) throws(MLSError) -> Int {
        if ciphertext.count < Self.tagLength {
            throw MLSError(.decryptionFailed, "a ciphertext is shorter than its tag")
        }
        return ciphertext.count - Self.tagLength
    }

    func seal(key: Secret, nonce: [UInt8], aad: [UInt8], _ plaintext: UnsafeRawBufferPointer)
        throws(MLSError) -> [UInt8]
    {
        let context = try context(key: key, nonce: nonce, aad: aad, length: plaintext.count, encrypt: 1)
        defer { EVP_CIPHER_CTX_free(context) }
        var ciphertext = [UInt8](repeating: 0, count: plaintext.count + Self.tagLength)
        try ciphertext.withMutableBytes { out throws(MLSError) in
            var written: Int32 = 0
            if !plaintext.isEmpty {
                try check(
                    EVP_CipherUpdate(context, out.uint8, &written, plaintext.uint8, Int32(plaintext.count)), "sealing")
            }
            try check(EVP_CipherFinal_ex(context, out.uint8?.advanced(by: Int(written)), &written), "sealing")
            let tag = out.uint8?.advanced(by: plaintext.count)
            try check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, Int32(Self.tagLength), tag), "sealing")
        }
        return ciphertext
    }

    /// Opens into `plaintext`, which has the length that ``plaintextLength(_:)`` says; wiped again if the tag does not
    /// match.
    func open(
        key: Secret, nonce: [UInt8], aad: [UInt8], _ ciphertext: [UInt8], into plaintext: UnsafeMutableRawBufferPointer
    ) throws(MLSError) {
        let length = try plaintextLength(ciphertext)
        precondition(plaintext.count == length, "the room for a plaintext has another length")
        let context = try context(key: key, nonce: nonce, aad: aad, length: length, encrypt: 0)
        defer { EVP_CIPHER_CTX_free(context) }
        let tagSet = ciphertext.withBytes {
            // OpenSSL's function takes a mutable pointer for all its purposes; this one only reads.
            let tag = $0.baseAddress.map { UnsafeMutableRawPointer(mutating: $0 + length) }
            return EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, Int32(Self.tagLength), tag)
        }
        try check(tagSet, "setting a tag")
        var written: Int32 = 0
        var opened: Int32 = 1
        if length > 0 {
            opened = ciphertext.withBytes {
                EVP_CipherUpdate(context, plaintext.uint8, &written, $0.uint8, Int32(length))
            }
        }
        if opened == 1 {
            // An empty plaintext has no address, but OpenSSL wants one.
            var nothing: UInt8 = 0
            let end = plaintext.uint8?.advanced(by: Int(written))
            opened = withUnsafeMutablePointer(to: &nothing) { EVP_CipherFinal_ex(context, end ?? $0, &written) }
        }
        if opened != 1 { OPENSSL_cleanse(plaintext.baseAddress, plaintext.count) }
        try check(opened, "the tag of a ciphertext does not match", code: .decryptionFailed)
    }

    /// A context that has key, nonce and associated data set; the caller frees it.
    private func context(key: Secret, nonce: [UInt8], aad: [UInt8], length: Int, encrypt: Int32)
        throws(MLSError) -> OpaquePointer
    {
        if key.count != keyLength { throw MLSError(.invalidKey, "an AEAD key of \(key.count) bytes") }
        if nonce.count != Self.nonceLength { throw MLSError(.invalidKey, "a nonce of \(nonce.count) bytes") }
        if length > Int32.max || aad.count > Int32.max { throw MLSError(.tooLarge, "\(length) bytes to encrypt") }
        let context = try made(EVP_CIPHER_CTX_new(), "no memory for a cipher")
        do throws(MLSError) {
            let ready = key.withUnsafeBytes { key in
                nonce.withBytes { EVP_CipherInit_ex2(context, cipher, key.uint8, $0.uint8, encrypt, nil) }
            }
            try check(ready, "setting a key")
            var written: Int32 = 0
            if !aad.isEmpty {
                let taken = aad.withBytes { EVP_CipherUpdate(context, nil, &written, $0.uint8, Int32($0.count)) }
                try check(taken, "authenticating associated data")
            }
        } catch {
            EVP_CIPHER_CTX_free(context)
            throw error
        }
        return context
    }
}
