/// A value that can be read from its encoding in the TLS presentation language (RFC 9420 §2.1).
public protocol TLSDecodable {
    init(from reader: inout TLSReader) throws(MLSError)
}

extension TLSDecodable {
    /// Reads one value that must fill `bytes` to the end.
    ///
    /// - Throws: ``MLSError`` `malformed` or `tooLarge`; trailing bytes are malformed.
    public init(decoding bytes: some Collection<UInt8>) throws(MLSError) {
        var reader = TLSReader(bytes)
        try self.init(from: &reader)
        try reader.expectEnd()
    }
}

/// Reads values in the TLS presentation language (RFC 9420 §2.1) from bytes that nobody has checked yet.
///
/// Every length is checked against what is left before memory is taken.
public struct TLSReader: Sendable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline let end: Int
    public private(set) var position: Int
    var recentCapabilities: RecentCapabilities?

    public init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
        self.position = 0
        self.end = self.bytes.count
    }

    private init(bytes: [UInt8], range: Range<Int>) {
        self.bytes = bytes
        self.position = range.lowerBound
        self.end = range.upperBound
    }

    public var remaining: Int { end - position }
    public var isAtEnd: Bool { position == end }

    /// Throws `malformed` unless everything has been read.
    public func expectEnd() throws(MLSError) {
        if !isAtEnd { throw MLSError(.malformed, "\(remaining) bytes too many") }
    }

    /// Big-endian integer of the type's own width.
    public mutating func read<I: FixedWidthInteger & UnsignedInteger>(_: I.Type = I.self) throws(MLSError) -> I {
        let width = I.bitWidth / 8
        try require(width)
        var value: I = 0
        for offset in 0..<width {
            value = I.bitWidth == 8 ? I(bytes[position + offset]) : (value << 8) | I(bytes[position + offset])
        }
        position += width
        return value
    }

    /// A value that knows how to read itself.
    public mutating func read<T: TLSDecodable>(_: T.Type = T.self) throws(MLSError) -> T {
        try T(from: &self)
    }

    /// `count` bytes with no length in front.
    public mutating func readRaw(_ count: Int) throws(MLSError) -> [UInt8] {
        try require(count)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    /// The bytes between an earlier position and this one: what a value was read from.
    public func consumed(since start: Int) -> ArraySlice<UInt8> {
        bytes[start..<position]
    }

    /// Moves past these bytes if they are what comes next.
    mutating func skip(_ expected: [UInt8]) -> Bool {
        if remaining < expected.count || bytes[position..<position + expected.count] != expected[...] { return false }
        position += expected.count
        return true
    }

    /// `opaque<V>` (RFC 9420 §2.1.2).
    public mutating func readOpaque() throws(MLSError) -> [UInt8] {
        try readRaw(readLength())
    }

    /// `opaque<V>` that is secret: it stands in no array on its way.
    mutating func readSecret() throws(MLSError) -> Secret {
        let length = try readLength()
        try require(length)
        defer { position += length }
        return Secret(bytes[position..<position + length])
    }

    /// `T<V>`: elements until the announced number of bytes is used up, exactly.
    ///
    /// - Parameter limit: for elements that take far more memory than bytes.
    /// - Throws: `malformed`; `tooLarge` for more elements than `limit`.
    public mutating func readVector<T: TLSDecodable>(of _: T.Type = T.self, atMost limit: Int = .max)
        throws(MLSError) -> [T]
    {
        var inner = try readSubReader()
        var elements: [T] = []
        // Enough for what takes two bytes an element, which is what most short vectors hold.
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
    public mutating func readSubReader() throws(MLSError) -> TLSReader {
        let length = try readLength()
        try require(length)
        defer { position += length }
        return TLSReader(bytes: bytes, range: position..<position + length)
    }

    /// `optional<T>`: the presence byte is 0 or 1, nothing else.
    public mutating func readOptional<T: TLSDecodable>(_: T.Type = T.self) throws(MLSError) -> T? {
        switch try read(UInt8.self) {
        case 0: return nil
        case 1: return try T(from: &self)
        default: throw MLSError(.malformed, "a presence byte is neither 0 nor 1")
        }
    }

    /// A length that we take, in its shortest form (RFC 9420 §2.1.2).
    ///
    /// - Throws: `malformed`; `tooLarge` for one beyond ``Limits/vectorLength``.
    public mutating func readLength() throws(MLSError) -> Int {
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

    private func require(_ count: Int) throws(MLSError) {
        if count < 0 || count > remaining {
            throw MLSError(.malformed, "\(count) bytes are announced, \(remaining) are left")
        }
    }
}
