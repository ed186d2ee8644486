import COpenSSL
import MLS

/// An EVP_PKEY, freed with its last reference.
///
/// Never changed after it was made, and each use has a context of its own; that is what makes sharing between threads safe.
final class KeyObject: @unchecked Sendable {
    let pointer: OpaquePointer
    /// The name of the algorithm or curve, so that a key of another suite is not taken for one of this.
    let algorithm: String

    /// Takes over the reference.
    init(_ pointer: OpaquePointer, algorithm: String) {
        self.pointer = pointer
        self.algorithm = algorithm
    }

    deinit { EVP_PKEY_free(pointer) }

    /// A key of an algorithm whose keys are plain byte strings (RFC 7748, RFC 8032).
    static func rawPrivate(_ raw: Secret, algorithm: String) throws(MLSError) -> KeyObject {
        let key = raw.withUnsafeBytes { EVP_PKEY_new_raw_private_key_ex(nil, algorithm, nil, $0.uint8, $0.count) }
        return KeyObject(
            try made(key, "a private key is not one of \(algorithm)", code: .invalidKey), algorithm: algorithm)
    }

    static func rawPublic(_ raw: [UInt8], algorithm: String) throws(MLSError) -> KeyObject {
        let key = raw.withBytes { EVP_PKEY_new_raw_public_key_ex(nil, algorithm, nil, $0.uint8, $0.count) }
        return KeyObject(
            try made(key, "a public key is not one of \(algorithm)", code: .invalidKey), algorithm: algorithm)
    }

    func rawPublicKey(length: Int) throws(MLSError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        var count = length
        let got = bytes.withMutableBytes { EVP_PKEY_get_raw_public_key(pointer, $0.uint8, &count) }
        try check(got, "reading a public key")
        return bytes
    }

    /// The Diffie-Hellman result with somebody's public key.
    ///
    /// - Throws: `invalidKey` for a public key of small order, whose result everybody knows.
    func derive(with peer: KeyObject, length: Int) throws(MLSError) -> Secret {
        let context = try made(EVP_PKEY_CTX_new_from_pkey(nil, pointer, nil), "no memory for a key agreement")
        defer { EVP_PKEY_CTX_free(context) }
        try check(EVP_PKEY_derive_init(context), "beginning a key agreement")
        try check(EVP_PKEY_derive_set_peer(context, peer.pointer), "a public key does not fit", code: .invalidKey)
        let secret = try Secret(count: length) { out throws(MLSError) in
            var count = length
            try check(EVP_PKEY_derive(context, out.uint8, &count), "a key agreement fails", code: .invalidKey)
            if count != length { throw MLSError(.cryptoFailure, "a key agreement of \(count) bytes") }
        }
        let isZero = secret.withUnsafeBytes { bytes in bytes.reduce(UInt8(0), |) == 0 }
        if isZero { throw MLSError(.invalidKey, "a key agreement gives zero") }
        return secret
    }
}
