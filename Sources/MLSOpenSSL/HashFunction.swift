import COpenSSL
import MLS

/// A hash function with HMAC (RFC 2104) and HKDF (RFC 5869) over it.
///
/// HMAC stands on the bare digest: OpenSSL's own looks its digest up by name for every key, which costs more than the work.
final class HashFunction: @unchecked Sendable {
    /// Bytes of output.
    let length: Int
    /// Fetched once, read-only afterwards; that is what makes sharing between threads safe.
    let digest: OpaquePointer
    private let blockLength: Int

    /// A part of an HMAC's input.
    enum Piece {
        case bytes([UInt8])
        case secret(Secret)
    }

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
        var tag = [UInt8](repeating: 0, count: length)
        tag.withMutableBytes { out in hmac(key: key, [.bytes(data)], into: out) }
        return tag
    }

    func extract(salt: Secret, _ ikm: [Piece]) -> Secret {
        Secret(count: length) { out in hmac(key: salt, ikm, into: out) }
    }

    /// `length` is at most 255 times the hash's.
    func expand(prk: Secret, info: [UInt8], length: Int) -> Secret {
        precondition(length <= 255 * self.length, "HKDF gives at most 255 hash lengths")
        if length == self.length { return block(1, after: nil, prk: prk, info: info) }
        return Secret(count: length) { out in
            var previous: Secret?
            var filled = 0
            var counter: UInt8 = 0
            while filled < length {
                counter += 1
                let next = block(counter, after: previous, prk: prk, info: info)
                next.withUnsafeBytes { bytes in
                    let count = min(bytes.count, length - filled)
                    UnsafeMutableRawBufferPointer(rebasing: out[filled..<filled + count])
                        .copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                    filled += count
                }
                previous = next
            }
        }
    }

    /// T(counter) of HKDF-Expand.
    private func block(_ counter: UInt8, after previous: Secret?, prk: Secret, info: [UInt8]) -> Secret {
        Secret(count: length) { out in
            let tail: [Piece] = [.bytes(info), .bytes([counter])]
            hmac(key: prk, (previous.map { [.secret($0)] } ?? []) + tail, into: out)
        }
    }

    private func hmac(key: Secret, _ pieces: [Piece], into out: UnsafeMutableRawBufferPointer) {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("a digest ran out of memory") }
        defer { EVP_MD_CTX_free(context) }
        withUnsafeTemporaryAllocation(byteCount: blockLength + length, alignment: 16) { scratch in
            defer { OPENSSL_cleanse(scratch.baseAddress, scratch.count) }
            let pad = UnsafeMutableRawBufferPointer(rebasing: scratch[..<blockLength])
            let inner = UnsafeMutableRawBufferPointer(rebasing: scratch[blockLength...])
            fillKeyPad(pad, key: key)
            for index in pad.indices { pad[index] ^= 0x36 }
            digest(context, pad, into: inner) {
                pieces.reduce(1) { done, piece in done & Self.update(context, piece) }
            }
            for index in pad.indices { pad[index] ^= 0x36 ^ 0x5C }
            digest(context, pad, into: out) { EVP_DigestUpdate(context, inner.baseAddress, inner.count) }
        }
    }

    /// The key, hashed when it is longer than a block, and zeros behind it.
    private func fillKeyPad(_ pad: UnsafeMutableRawBufferPointer, key: Secret) {
        pad.initializeMemory(as: UInt8.self, repeating: 0)
        key.withUnsafeBytes { bytes in
            if bytes.count <= blockLength {
                pad.copyMemory(from: bytes)
            } else {
                let done = EVP_Digest(bytes.baseAddress, bytes.count, pad.uint8, nil, digest, nil)
                precondition(done == 1, "a digest ran out of memory")
            }
        }
    }

    /// Hashes the padded key and what `feed` gives after it; `feed` returns 1 when OpenSSL took it.
    private func digest(
        _ context: OpaquePointer, _ pad: UnsafeMutableRawBufferPointer, into out: UnsafeMutableRawBufferPointer,
        feed: () -> Int32
    ) {
        var done = EVP_DigestInit_ex2(context, digest, nil)
        done &= EVP_DigestUpdate(context, pad.baseAddress, pad.count)
        done &= feed()
        done &= EVP_DigestFinal_ex(context, out.uint8, nil)
        precondition(done == 1, "a digest ran out of memory")
    }

    private static func update(_ context: OpaquePointer, _ piece: Piece) -> Int32 {
        switch piece {
        case .bytes(let bytes): bytes.withBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        case .secret(let secret): secret.withUnsafeBytes { EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        }
    }
}
