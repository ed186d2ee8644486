/// Examines text eight bytes at a time.
///
/// Each test sets the top bit of every byte it is true of. Only the lowest set bit is reliable; those above it may come
/// from a borrow.
enum ByteScan {
    private static let ones: UInt64 = 0x0101_0101_0101_0101
    static let tops: UInt64 = 0x8080_8080_8080_8080

    /// The position of the first byte that JSON escapes: a control character, a quote or a backslash. The end if there
    /// is none.
    static func special(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        first(bytes, from: start) {
            special($0) & tops
        } byte: {
            $0 < 0x20 || $0 == 0x22 || $0 == 0x5C
        }
    }

    /// The same, but also stops at bytes that are not ASCII.
    static func specialOrWide(_ bytes: UnsafeRawBufferPointer, from start: Int) -> Int {
        first(bytes, from: start) {
            (special($0) | $0) & tops
        } byte: {
            $0 < 0x20 || $0 == 0x22 || $0 == 0x5C || $0 >= 0x80
        }
    }

    @inline(__always)
    private static func special(_ word: UInt64) -> UInt64 {
        ((word &- 0x20 &* ones) & ~word) | equal(word, 0x22) | equal(word, 0x5C)
    }

    @inline(__always)
    private static func equal(_ word: UInt64, _ byte: UInt64) -> UInt64 {
        let difference = word ^ (byte &* ones)
        return (difference &- ones) & ~difference
    }

    @inline(__always)
    private static func first(
        _ bytes: UnsafeRawBufferPointer, from start: Int, word: (UInt64) -> UInt64, byte: (UInt8) -> Bool
    ) -> Int {
        var place = start
        // Usually none comes for a while.
        while bytes.count - place >= 16 {
            let low = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
            let high = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 8, as: UInt64.self))
            if word(low) | word(high) != 0 { break }
            place += 16
        }
        while bytes.count - place >= 8 {
            let found = word(UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self)))
            if found != 0 { return place + found.trailingZeroBitCount / 8 }
            place += 8
        }
        while place < bytes.count, !byte(bytes[place]) { place += 1 }
        return place
    }

    /// The number of digits before the first other character, from the lowest byte on, and the number they form.
    @inline(__always)
    static func digits(_ word: UInt64) -> (count: Int, value: UInt64) {
        let digits = word ^ (0x30 &* ones)
        let others = ((digits &+ 0x76 &* ones) | digits) & tops
        let count = others == 0 ? 8 : others.trailingZeroBitCount / 8
        if count == 0 { return (0, 0) }
        // Filled up with zeros in front: pairs of digits, then fours, then all eight.
        let eight = digits << UInt64(64 - 8 * count)
        let pairs = (eight &* 10 &+ eight >> 8) & 0x00FF_00FF_00FF_00FF
        let fours = (pairs &* 100 &+ pairs >> 16) & 0x0000_FFFF_0000_FFFF
        return (count, (fours &* 10_000 &+ fours >> 32) & 0xFFFF_FFFF)
    }

    /// The top bit of each byte that is a lower-case hexadecimal digit. If one is not ASCII, those above it may be
    /// wrong.
    @inline(__always)
    static func hexDigits(_ word: UInt64) -> UInt64 {
        // Below 0x80 no sum carries into the next byte.
        let digits = (word &+ 0x50 &* ones) & ~(word &+ 0x46 &* ones)
        let letters = (word &+ 0x1F &* ones) & ~(word &+ 0x19 &* ones)
        return (digits | letters) & ~word & tops
    }

    /// The number that eight hexadecimal digits form, the first of them in the lowest byte.
    @inline(__always)
    static func value(ofHex word: UInt64) -> UInt64 {
        let nibbles = (word & (0x0F &* ones)) &+ (word >> 6 & ones) &* 9
        let bytes = (nibbles << 4 | nibbles >> 8) & 0x00FF_00FF_00FF_00FF
        return (bytes & 0xFF) << 24 | (bytes >> 16 & 0xFF) << 16 | (bytes >> 32 & 0xFF) << 8 | bytes >> 48
    }

    /// The end of the character that begins with a byte that is not ASCII; nil if it is not well-formed UTF-8 (Unicode
    /// 3.9, table 3-7).
    static func endOfWide(_ bytes: UnsafeRawBufferPointer, at place: Int) -> Int? {
        let (length, second): (Int, ClosedRange<UInt8>) =
            switch bytes[place] {
            case 0xC2...0xDF: (2, 0x80...0xBF)
            case 0xE0: (3, 0xA0...0xBF)
            case 0xED: (3, 0x80...0x9F)
            case 0xE1...0xEF: (3, 0x80...0xBF)
            case 0xF0: (4, 0x90...0xBF)
            case 0xF1...0xF3: (4, 0x80...0xBF)
            case 0xF4: (4, 0x80...0x8F)
            default: (0, 0x80...0xBF)
            }
        guard length > 0, bytes.count - place >= length, second.contains(bytes[place + 1]) else { return nil }
        for index in 2..<max(2, length) where bytes[place + index] & 0xC0 != 0x80 { return nil }
        return place + length
    }
}
