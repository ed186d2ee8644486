import COpenSSL

/// Unpredictable bytes, from OpenSSL's private generator.
func randomBytes(_ count: Int) throws -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    guard RAND_priv_bytes(&bytes, Int32(count)) == 1 else { throw APIError.internalError }
    return bytes
}

/// Compares in constant time; the length is not secret.
func equalInConstantTime(_ a: [UInt8], _ b: [UInt8]) -> Bool {
    a.count == b.count && CRYPTO_memcmp(a, b, a.count) == 0
}

func sha256(_ parts: [UInt8]...) throws -> [UInt8] {
    guard let context = EVP_MD_CTX_new() else { throw APIError.internalError }
    defer { EVP_MD_CTX_free(context) }
    var digest = [UInt8](repeating: 0, count: 32)
    guard EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { throw APIError.internalError }
    for part in parts {
        guard EVP_DigestUpdate(context, part, part.count) == 1 else { throw APIError.internalError }
    }
    guard EVP_DigestFinal_ex(context, &digest, nil) == 1 else { throw APIError.internalError }
    return digest
}
