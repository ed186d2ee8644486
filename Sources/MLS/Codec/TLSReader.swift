/// A value that can be read from its encoding in the TLS presentation language (RFC 9420 §2.1).
package protocol TLSDecodable {
    init(from reader: inout TLSReader) throws(MLSError)
}

extension TLSDecodable {
    /// Reads one value that must fill `bytes` to the end.
    ///
    /// - Throws: ``MLSError`` `malformed` or `tooLarge`; trailing bytes are malformed.
    package init(decoding bytes: some Collection<UInt8>) throws(MLSError) {
        var reader = TLSReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd()
    }
}

/// Reads values in the TLS presentation language (RFC 9420 §2.1) from unchecked bytes.
///
/// Every length is checked against what is left before memory is allocated.
package struct TLSReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline let end: Int
    @usableFromInline var place: Int
    var recentCapabilities: RecentCapabilities?

    package init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
        self.place = 0
        self.end = self.bytes.count
    }

    /// Reads from an array as it is, without a copy.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        self.place = 0
        self.end = bytes.count
    }

    private init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.place = range.lowerBound
        self.end = range.upperBound
    }

    package var position: Int { place }
    @inlinable package var remaining: Int { end - place }
    @inlinable package var isAtEnd: Bool { place == end }

    /// Throws `malformed` unless everything has been read.
    package func expectEnd() throws(MLSError) {
        if !isAtEnd { throw MLSError(.malformed, "\(remaining) bytes too many") }
    }

    /// Big-endian integer of the type's own width.
    @inlinable package mutating func read<I: FixedWidthInteger & UnsignedInteger>(_: I.Type = I.self) throws(MLSError)
        -> I
    {
        // Inlinable, because records are read field by field: with a generic call, each byte costs more than the whole
        // field does here.
        let width = I.bitWidth / 8
        try require(width)
        var value: I = 0
        for offset in 0..<width {
            value = I.bitWidth == 8 ? I(bytes[place + offset]) : (value << 8) | I(bytes[place + offset])
        }
        place += width
        return value
    }

    /// A value that reads itself.
    package mutating func read<T: TLSDecodable>(_: T.Type = T.self) throws(MLSError) -> T {
        try T(from: &self)
    }

    /// `count` bytes without a length in front.
    package mutating func readRaw(_ count: Int) throws(MLSError) -> [UInt8] {
        try require(count)
        defer { place += count }
        return Array(bytes[place..<place + count])
    }

    /// Moves past `count` bytes and returns their position, for ``bytes(in:)``.
    package mutating func readPlace(of count: Int) throws(MLSError) -> Range<Int> {
        try require(count)
        defer { place += count }
        return place..<(place + count)
    }

    /// Moves past `opaque<V>` and returns the position of its content, for ``bytes(in:)``.
    package mutating func readPlace() throws(MLSError) -> Range<Int> { try readPlace(of: readLength()) }

    /// The bytes at a position that was read.
    package func bytes(in place: Range<Int>) -> ArraySlice<UInt8> { bytes[place] }

    /// `opaque<V>` that is UTF-8 text; invalid parts are replaced (U+FFFD).
    package mutating func readText() throws(MLSError) -> String {
        let length = try readLength()
        try require(length)
        defer { place += length }
        return bytes.withUnsafeBufferPointer { [place] in
            String(decoding: UnsafeBufferPointer(rebasing: $0[place..<place + length]), as: UTF8.self)
        }
    }

    /// The bytes between an earlier position and this one: what a value was read from.
    package func consumed(since start: Int) -> ArraySlice<UInt8> {
        bytes[start..<place]
    }

    /// Moves past these bytes if they are what comes next.
    mutating func skip(_ expected: [UInt8]) -> Bool {
        if remaining < expected.count || bytes[place..<place + expected.count] != expected[...] { return false }
        place += expected.count
        return true
    }

    /// `opaque<V>` (RFC 9420 §2.1.2).
    package mutating func readOpaque() throws(MLSError) -> [UInt8] {
        try readRaw(readLength())
    }

    /// `opaque<V>` that is secret: it is never put into an ordinary array.
    mutating func readSecret() throws(MLSError) -> Secret {
        let length = try readLength()
        try require(length)
        defer { place += length }
        return Secret(bytes[place..<place + length])
    }

    /// `T<V>`: elements until the announced number of bytes is used up, exactly.
    ///
    /// - Parameter limit: for elements that take far more memory than bytes.
    /// - Throws: `malformed`; `tooLarge` for more elements than `limit`.
    package mutating func readVector<T: TLSDecodable>(of _: T.Type = T.self, atMost limit: Int = .max)
        throws(MLSError) -> [T]
    {
        var inner = try readSubReader()
        var elements: [T] = []
        // Enough for elements of two bytes, which is what most short vectors hold.
        if inner.remaining <= 64 { elements.reserveCapacity(inner.remaining / 2) }
        while !inner.isAtEnd {
            if elements.count == limit { throw MLSError(.tooLarge, "a vector of more than \(limit) elements") }
            let before = inner.position
            elements.append(try T(from: &inner))
            if inner.position == before { throw MLSError(.malformed, "an element of a vector takes no bytes") }
        }
        return elements
    }

    /// A reader over the content of a vector; this reader moves past it.
    package mutating func readSubReader() throws(MLSError) -> TLSReader {
        let length = try readLength()
        try require(length)
        defer { place += length }
        return TLSReader(bytes: bytes, range: place..<place + length)
    }

    /// `optional<T>`: the presence byte must be 0 or 1.
    package mutating func readOptional<T: TLSDecodable>(_: T.Type = T.self) throws(MLSError) -> T? {
        switch try read(UInt8.self) {
        case 0: return nil
        case 1: return try T(from: &self)
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
    }

    /// A length that we accept, in its shortest form (RFC 9420 §2.1.2).
    ///
    /// - Throws: `malformed`; `tooLarge` for one beyond ``Limits/vectorLength``.
    package mutating func readLength() throws(MLSError) -> Int {
        let length = try readHeader()
        if length > Limits.vectorLength { throw MLSError(.tooLarge, "a vector of \(length) bytes") }
        return length
    }

    /// A length of up to 2^30 - 1, which must be in its shortest form (RFC 9420 §2.1.2).
    package mutating func readHeader() throws(MLSError) -> Int {
        let first = try read(UInt8.self)
        let length: Int
        switch first >> 6 {
        case 0: return Int(first)
        case 1:
            length = Int(first & 0x3F) << 8 | Int(try read(UInt8.self))
            if length < 0x40 { throw MLSError(.malformed, "a length is not in its shortest form") }
        case 2:
            let low: (UInt8, UInt16) = (try read(), try read())
            length = Int(first & 0x3F) << 24 | Int(low.0) << 16 | Int(low.1)
            if length < 0x4000 { throw MLSError(.malformed, "a length is not in its shortest form") }
        default:
            throw MLSError(.malformed, "a length begins with the reserved bits 11")
        }
        return length
    }

    @inlinable
    func require(_ count: Int) throws(MLSError) {
        if count < 0 || count > remaining { throw missing(count) }
    }

    @usableFromInline
    func missing(_ count: Int) -> MLSError {
        MLSError(.malformed, "\(count) bytes are announced, \(remaining) are left")
    }
}
