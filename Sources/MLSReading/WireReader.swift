/// The bytes are not what they should be: they end too early, go on too long, or break the encoding.
public struct Unreadable: Error {
    init() {}
}

/// Reads the TLS presentation language (RFC 9420 §2.1) from unchecked bytes.
///
/// A length is checked against what is left before anything else happens, and unneeded content is skipped in place.
/// What it reads nests no deeper than the types of RFC 9420 do: nothing here is recursive.
struct WireReader {
    private let bytes: [UInt8]
    private var place = 0
    private var end: Int

    init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
        end = self.bytes.count
    }

    var isAtEnd: Bool { place == end }

    func expectEnd() throws(Unreadable) {
        if !isAtEnd { throw Unreadable() }
    }

    /// A big-endian integer of the type's own width.
    mutating func read<I: FixedWidthInteger & UnsignedInteger>(_: I.Type = I.self) throws(Unreadable) -> I {
        var value: UInt64 = 0
        for byte in try take(I.bitWidth / 8) { value = value << 8 | UInt64(byte) }
        return I(truncatingIfNeeded: value)
    }

    /// The content of an `opaque<V>`.
    mutating func readOpaque() throws(Unreadable) -> [UInt8] {
        Array(try take(readLength()))
    }

    /// Skips an `opaque<V>`, or any other vector, whatever is in it.
    mutating func skipVector() throws(Unreadable) {
        _ = try take(readLength())
    }

    /// Reads the elements of a vector, one by one, until its bytes are used up; an element that begins in it must end
    /// in it.
    mutating func readVector(
        _ element: (inout WireReader) throws(Unreadable) -> Void
    ) throws(Unreadable) {
        let length = try readLength()
        if length > end - place { throw Unreadable() }
        var inner = self
        inner.end = place + length
        while !inner.isAtEnd {
            let start = inner.place
            try element(&inner)
            if inner.place == start { throw Unreadable() }
        }
        place = inner.place
    }

    /// The two high bits of the first byte tell the width of the length, which must be the narrowest possible (RFC 9420
    /// §2.1.2).
    private mutating func readLength() throws(Unreadable) -> Int {
        let first = try read(UInt8.self)
        switch first >> 6 {
        case 0: return Int(first)
        case 1:
            let length = Int(first & 0x3F) << 8 | Int(try read(UInt8.self))
            if length < 1 << 6 { throw Unreadable() }
            return length
        case 2:
            let high = Int(first & 0x3F) << 24 | Int(try read(UInt8.self)) << 16
            let length = high | Int(try read(UInt16.self))
            if length < 1 << 14 { throw Unreadable() }
            return length
        default: throw Unreadable()
        }
    }

    private mutating func take(_ count: Int) throws(Unreadable) -> ArraySlice<UInt8> {
        if count > end - place { throw Unreadable() }
        defer { place += count }
        return bytes[place..<place + count]
    }
}
