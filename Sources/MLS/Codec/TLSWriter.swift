/// A value with an encoding in the TLS presentation language (RFC 9420 §2.1).
package protocol TLSEncodable {
    func encode(to writer: inout TLSWriter)
}

extension TLSEncodable {
    /// The encoding as bytes.
    package var encoded: [UInt8] {
        // Hardly anything that is encoded on its own is much shorter.
        var writer = TLSWriter(reservingCapacity: 128)
        encode(to: &writer)
        return writer.bytes
    }
}

/// Appends values in the TLS presentation language (RFC 9420 §2.1) to a byte array.
///
/// Lengths are those of values we built or decoded within ``Limits``, so writing cannot fail.
package struct TLSWriter: Sendable {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// - Parameter capacity: enough for all that is written, if there are secrets among it: memory that is left behind
    ///   as it grows is not wiped.
    package init(reservingCapacity capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// Makes room for this many more bytes at once, so that something long is not copied again and again as it grows.
    mutating func reserve(_ count: Int) {
        let needed = bytes.count + count
        if bytes.capacity < needed { bytes.reserveCapacity(max(needed, 2 * bytes.capacity)) }
    }

    /// What has been written, as a secret. The writer is then empty, and its memory wiped.
    ///
    /// Nothing else is left behind if the capacity was reserved and no one has a copy.
    mutating func takeSecret() -> Secret {
        let secret = Secret(bytes)
        bytes.withUnsafeMutableBytes { wipe($0) }
        bytes = []
        return secret
    }

    /// Big-endian integer of the type's own width.
    @inlinable
    package mutating func write<I: FixedWidthInteger & UnsignedInteger>(_ value: I) {
        var shift = I.bitWidth
        while shift > 0 {
            shift -= 8
            appendByte(UInt8(truncatingIfNeeded: value >> I(shift)))
        }
    }

    @usableFromInline
    mutating func appendByte(_ byte: UInt8) { bytes.append(byte) }

    /// A value that writes itself.
    package mutating func write(_ value: some TLSEncodable) {
        value.encode(to: &self)
    }

    /// Bytes without a length in front.
    package mutating func writeRaw(_ raw: some Sequence<UInt8>) {
        bytes.append(contentsOf: raw)
    }

    /// `opaque<V>`: a variable-length length, then the bytes (RFC 9420 §2.1.2).
    package mutating func writeOpaque(_ opaque: some Collection<UInt8>) {
        reserve(opaque.count + 4)
        writeLength(opaque.count)
        bytes.append(contentsOf: opaque)
    }

    /// `T<V>`: the elements' encodings, with their total length in bytes in front.
    package mutating func writeVector<T: TLSEncodable>(_ elements: some Sequence<T>) {
        writeVector { writer in
            for element in elements { element.encode(to: &writer) }
        }
    }

    /// A vector whose content `body` writes.
    package mutating func writeVector(_ body: (inout TLSWriter) -> Void) {
        let start = bytes.count
        body(&self)
        // The length is known only now, and takes as many bytes as it needs.
        var header = TLSWriter()
        header.writeLength(bytes.count - start)
        bytes.insert(contentsOf: header.bytes, at: start)
    }

    /// `optional<T>`: a presence byte, then the value.
    package mutating func writeOptional(_ value: (some TLSEncodable)?) {
        if let value {
            bytes.append(1)
            value.encode(to: &self)
        } else {
            bytes.append(0)
        }
    }

    /// A length in the shortest of its 1, 2 or 4 byte forms (RFC 9420 §2.1.2).
    package mutating func writeLength(_ length: Int) {
        switch length {
        case ..<0x40: write(UInt8(length))
        case ..<0x4000: write(UInt16(length) | 0x4000)
        default:
            precondition(length < 0x4000_0000, "a vector is at most 2^30 - 1 bytes")
            write(UInt32(length) | 0x8000_0000)
        }
    }
}
