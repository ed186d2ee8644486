import COpenSSL
import MLS
import Synchronization

/// An EVP_PKEY, freed with its last reference.
///
/// Never changed after it was made, and each use has its own context, so it is safe to share between threads.
final class KeyObject: @unchecked Sendable {
    let pointer: OpaquePointer
    /// The name of the algorithm, so that a key of another suite is not mistaken for one of this.
    let algorithm: String

    /// Takes ownership of the reference.
    init(_ pointer: OpaquePointer, algorithm: String) {
        self.pointer = pointer
        self.algorithm = algorithm
    }

    deinit { EVP_PKEY_free(pointer) }
}

/// An algorithm whose keys are plain byte strings (RFC 7748, RFC 8032).
///
/// Looking an algorithm up by its name takes longer than loading a public key, so contexts that know it are kept.
final class RawKeyAlgorithm: Sendable {
    let name: String
    private let loaders: Pool

    init(_ name: String) {
        self.name = name
        loaders = Pool(
            make: { () throws(MLSError) in
                let context = try made(EVP_PKEY_CTX_new_from_name(nil, name, nil), "OpenSSL lacks \(name)")
                if EVP_PKEY_fromdata_init(context) != 1 {
                    EVP_PKEY_CTX_free(context)
                    throw MLSError(.cryptoFailure, "\(name) takes no keys")
                }
                return context
            },
            free: { EVP_PKEY_CTX_free($0) })
    }

    func privateKey(_ raw: Secret) throws(MLSError) -> KeyObject {
        let key = try loaders.withObject { context in
            raw.withUnsafeBytes { waxwing_raw_key(context, $0.uint8, $0.count, 1) }
        }
        return KeyObject(try made(key, "a private key is not one of \(name)", code: .invalidKey), algorithm: name)
    }

    func publicKey(_ raw: [UInt8]) throws(MLSError) -> KeyObject {
        let key = try loaders.withObject { context in
            raw.withBytes { waxwing_raw_key(context, $0.uint8, $0.count, 0) }
        }
        return KeyObject(try made(key, "a public key is not one of \(name)", code: .invalidKey), algorithm: name)
    }

    /// The public half of a key.
    func publicBytes(_ key: KeyObject, length: Int) throws(MLSError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: length)
        var count = length
        let got = bytes.withMutableBytes { EVP_PKEY_get_raw_public_key(key.pointer, $0.uint8, &count) }
        try check(got, "reading a public key")
        if count != length { throw MLSError(.cryptoFailure, "a public key of \(count) bytes") }
        return bytes
    }
}

/// Holds the object of a key that may never be used, as making it costs as much as using it.
final class DeferredKey: Sendable {
    let algorithm: String
    private let made = Mutex<KeyObject?>(nil)

    init(algorithm: String) { self.algorithm = algorithm }

    /// The object, made on the first call.
    func object(_ make: () throws(MLSError) -> KeyObject) throws(MLSError) -> KeyObject {
        try made.withLock { object throws(MLSError) in
            if let object { return object }
            let new = try make()
            object = new
            return new
        }
    }
}
