import OpenSSLPrimitives

/// Unpredictable bytes, from OpenSSL's private generator.
func randomBytes(_ count: Int) throws -> [UInt8] {
    do { return try Secrets.random(count) } catch { throw APIError.internalError }
}
