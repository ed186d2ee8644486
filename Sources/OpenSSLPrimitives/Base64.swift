internal import COpenSSL

/// Base64 with padding, on one line (RFC 4648 §4).
package enum Base64 {
    package static func text(of bytes: [UInt8]) -> [UInt8] {
        // OpenSSL ends it with a zero.
        [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { buffer, count in
            count = Int(EVP_EncodeBlock(buffer.baseAddress, bytes, CInt(bytes.count)))
        }
    }

    /// - Returns: nil if the text is not one that ``text(of:)`` could have written, as far as OpenSSL can tell.
    package static func bytes(of text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 4 == 0 else { return nil }
        let padding = text.suffix(2).count { $0 == UInt8(ascii: "=") }
        if text.dropLast(padding).contains(UInt8(ascii: "=")) { return nil }
        let size = text.count / 4 * 3
        var isValid = false
        let value = text.withUnsafeBufferPointer { text in
            [UInt8](unsafeUninitializedCapacity: size + 1) { buffer, count in
                isValid = Int(EVP_DecodeBlock(buffer.baseAddress, text.baseAddress, CInt(text.count))) == size
                count = isValid ? size - padding : 0
            }
        }
        return isValid ? value : nil
    }
}

extension UnsafeRawBufferPointer {
    var uint8: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

extension UnsafeMutableRawBufferPointer {
    var uint8: UnsafeMutablePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}
