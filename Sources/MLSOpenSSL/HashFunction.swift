import COpenSSL
import MLS

/// A hash function with HMAC (RFC 2104) and HKDF (RFC 5869) over it.
///
/// HMAC is built on the bare digest: OpenSSL's own looks its digest up by name for every key, which costs more than the
/// work.
final class HashFunction: @unchecked Sendable {
    /// Bytes of output.
    let length: Int
    /// Fetched once and then only read, so it is safe to share between threads.
    let digest: OpaquePointer
    private let blockLength: Int

    init?(name: String, length: Int) {
        guard let digest = EVP_MD_fetch(nil, name, nil) else { return nil }
        self.digest = digest
        self.length = length
        self.blockLength = Int(EVP_MD_get_block_size(digest))
    }

    deinit { EVP_MD_free(digest) }

    func hash(_ data: [UInt8]) -> [UInt8] {
        Array(unsafeUninitializedCapacity: length) { out, initialized in
            let done = data.withBytes { EVP_Digest($0.baseAddress, $0.count, out.baseAddress, nil, digest, nil) }
            precondition(done == 1, "a digest ran out of memory")
            initialized = length
        }
    }

    func mac(key: Secret, _ data: [UInt8]) -> [UInt8] {
        Array(unsafeUninitializedCapacity: length) { out, initialized in
            hmac(key: key, into: out.baseAddress) { context in data.withBytes { Self.feed($0, to: context) } }
            initialized = length
        }
    }

    /// HKDF-Extract of a secret, with bytes in front of it that are not secret.
    func extract(salt: Secret, prefix: [UInt8] = [], _ ikm: Secret) -> Secret {
        ikm.withUnsafeBytes { extract(salt: salt, prefix: prefix, $0) }
    }

    /// The same for bytes that are not secret.
    func extract(salt: Secret, prefix: [UInt8], _ ikm: [UInt8]) -> Secret {
        ikm.withBytes { extract(salt: salt, prefix: prefix, $0) }
    }

    private func extract(salt: Secret, prefix: [UInt8], _ ikm: UnsafeRawBufferPointer) -> Secret {
        Secret(count: length) { out in
            hmac(key: salt, into: out.uint8) { context in
                prefix.withBytes { Self.feed($0, to: context) } & Self.feed(ikm, to: context)
            }
        }
    }

    /// HKDF-Expand; `length` is at most 255 times the hash's.
    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret {
        precondition(length <= 255 * self.length, "HKDF gives at most 255 hash lengths")
        if length == self.length {
            return Secret(count: length) { out in block(1, after: nil, prk: prk, info: info, into: out) }
        }
        return withUnsafeTemporaryAllocation(byteCount: self.length, alignment: 16) { scratch in
            defer { OPENSSL_cleanse(scratch.baseAddress, scratch.count) }
            return Secret(count: length) { out in
                var filled = 0
                var counter: UInt8 = 0
                while filled < length {
                    counter += 1
                    let previous = counter == 1 ? nil : UnsafeRawBufferPointer(scratch)
                    block(counter, after: previous, prk: prk, info: info, into: scratch)
                    let count = min(scratch.count, length - filled)
                    UnsafeMutableRawBufferPointer(rebasing: out[filled..<filled + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: scratch[..<count]))
                    filled += count
                }
            }
        }
    }

    /// T(counter) of HKDF-Expand; it may overwrite the one before.
    private func block(
        _ counter: UInt8, after previous: UnsafeRawBufferPointer?, prk: Secret, info: [UInt8],
        into out: UnsafeMutableRawBufferPointer
    ) {
        hmac(key: prk, into: out.uint8) { context in
            var done: Int32 = 1
            if let previous { done &= Self.feed(previous, to: context) }
            done &= info.withBytes { Self.feed($0, to: context) }
            var counter = counter
            return done & EVP_DigestUpdate(context, &counter, 1)
        }
    }

    /// `feed` passes the data to the digest and returns 1 if OpenSSL accepted it.
    @inline(__always)
    private func hmac(key: Secret, into out: UnsafeMutablePointer<UInt8>?, feed: (OpaquePointer) -> Int32) {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("a digest ran out of memory") }
        defer { EVP_MD_CTX_free(context) }
        withUnsafeTemporaryAllocation(byteCount: blockLength + length, alignment: 16) { scratch in
            defer { OPENSSL_cleanse(scratch.baseAddress, scratch.count) }
            let pad = UnsafeMutableRawBufferPointer(rebasing: scratch[..<blockLength])
            let inner = UnsafeMutableRawBufferPointer(rebasing: scratch[blockLength...])
            fillKeyPad(pad, key: key)
            Self.flip(pad, 0x3636_3636_3636_3636)
            var done = EVP_DigestInit_ex2(context, digest, nil)
            done &= EVP_DigestUpdate(context, pad.baseAddress, pad.count)
            done &= feed(context)
            done &= EVP_DigestFinal_ex(context, inner.uint8, nil)
            Self.flip(pad, 0x3636_3636_3636_3636 ^ 0x5C5C_5C5C_5C5C_5C5C)
            done &= EVP_DigestInit_ex2(context, digest, nil)
            done &= EVP_DigestUpdate(context, pad.baseAddress, pad.count)
            done &= EVP_DigestUpdate(context, inner.baseAddress, inner.count)
            done &= EVP_DigestFinal_ex(context, out, nil)
            precondition(done == 1, "a digest ran out of memory")
        }
    }

    /// The key, hashed if it is longer than a block, and followed by zeros.
    private func fillKeyPad(_ pad: UnsafeMutableRawBufferPointer, key: Secret) {
        pad.initializeMemory(as: UInt64.self, repeating: 0)
        key.withUnsafeBytes { bytes in
            if bytes.count <= blockLength {
                pad.copyMemory(from: bytes)
            } else {
                let done = EVP_Digest(bytes.baseAddress, bytes.count, pad.uint8, nil, digest, nil)
                precondition(done == 1, "a digest ran out of memory")
            }
        }
    }

    /// Blocks are whole words.
    private static func flip(_ pad: UnsafeMutableRawBufferPointer, _ mask: UInt64) {
        let words = pad.assumingMemoryBound(to: UInt64.self)
        for index in words.indices { words[index] ^= mask }
    }

    private static func feed(_ bytes: UnsafeRawBufferPointer, to context: OpaquePointer) -> Int32 {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }
}
