import ConclaveProtocol

/// Text that is built piece by piece, in its own memory, which is reused.
///
/// Every piece is a check of the capacity and a copy: this is most of what an export does.
struct TextBuffer: ~Copyable {
    private(set) var count = 0
    private var base: UnsafeMutablePointer<UInt8>
    private var capacity: Int
    /// The day whose date was written last: usually the next row has the same one.
    private var day: UInt64 = 0
    private var date: (yearAndMonth: UInt64, day: UInt16) = TextBuffer.text(ofDay: 0)

    init(capacity: Int = 1 << 12) {
        self.capacity = max(capacity, 64)
        base = .allocate(capacity: self.capacity)
    }

    deinit { base.deallocate() }

    var isEmpty: Bool { count == 0 }
    /// Valid until the next change.
    var contents: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }
    var bytes: [UInt8] { Array(contents) }

    mutating func clear() { count = 0 }

    /// Makes room for `more` bytes.
    @inline(__always)
    private mutating func reserve(_ more: Int) {
        if capacity - count < more { grow(more) }
    }

    @inline(never)
    private mutating func grow(_ more: Int) {
        let larger = max(2 * capacity, count + more)
        let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: larger)
        bytes.update(from: base, count: count)
        base.deallocate()
        (base, capacity) = (bytes, larger)
    }

    // MARK: Bytes

    @inline(__always)
    mutating func append(_ text: StaticString) {
        reserve(text.utf8CodeUnitCount)
        (base + count).update(from: text.utf8Start, count: text.utf8CodeUnitCount)
        count += text.utf8CodeUnitCount
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        reserve(1)
        base[count] = byte
        count += 1
    }

    mutating func append(raw bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.baseAddress else { return }
        reserve(bytes.count)
        UnsafeMutableRawPointer(base + count).copyMemory(from: start, byteCount: bytes.count)
        count += bytes.count
    }

    mutating func append(raw bytes: [UInt8]) { bytes.withUnsafeBytes { append(raw: $0) } }

    // MARK: Numbers

    mutating func append(_ number: UInt64) {
        // The longest has twenty digits.
        reserve(20)
        let end = base + count + 20
        var start = end
        var rest = number
        repeat {
            start -= 1
            start.pointee = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        } while rest > 0
        (base + count).update(from: start, count: end - start)
        count += end - start
    }

    mutating func append(hex bytes: UnsafeRawBufferPointer) {
        reserve(2 * bytes.count)
        var done = 0
        while bytes.count - done >= 4 {
            let four = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: done, as: UInt32.self))
            UnsafeMutableRawPointer(base + count).storeBytes(of: Self.hex(UInt64(four)).littleEndian, as: UInt64.self)
            count += 8
            done += 4
        }
        for byte in bytes[done...] { put(hex: byte) }
    }

    /// The eight digits of four bytes, the first of each in the lowest byte.
    @inline(__always)
    private static func hex(_ bytes: UInt64) -> UInt64 {
        let pairs = (bytes | bytes << 16) & 0x0000_FFFF_0000_FFFF
        let apart = (pairs | pairs << 8) & 0x00FF_00FF_00FF_00FF
        let digits = (apart >> 4 | apart << 8) & 0x0F0F_0F0F_0F0F_0F0F
        // From ten on, letters.
        let letters = (digits &+ 0x0606_0606_0606_0606) >> 4 & 0x0101_0101_0101_0101
        return digits &+ 0x3030_3030_3030_3030 &+ letters &* 0x27
    }

    /// As a UUID is written.
    mutating func append(_ id: ID) {
        reserve(36)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { put(UInt8(ascii: "-")) }
            let half = index < 8 ? id.high : id.low
            put(hex: UInt8(truncatingIfNeeded: half >> UInt64(56 - 8 * (index & 7))))
        }
    }

    /// For use when there is room already.
    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        base[count] = byte
        count += 1
    }

    @inline(__always)
    private mutating func put(hex byte: UInt8) {
        put(Self.digit(byte >> 4))
        put(Self.digit(byte & 15))
    }

    @inline(__always)
    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }

    // MARK: Words

    mutating func append(json text: String) {
        var text = text
        text.withUTF8 { append(json: UnsafeRawBufferPointer($0)) }
    }

    /// A JSON string with its quotes. Control characters are escaped; everything else is written as it is, in UTF-8.
    mutating func append(json text: UnsafeRawBufferPointer) {
        append(UInt8(ascii: "\""))
        var start = 0
        while true {
            let end = ByteScan.special(text, from: start)
            append(raw: UnsafeRawBufferPointer(rebasing: text[start..<end]))
            if end == text.count { break }
            append(escaped: text[end])
            start = end + 1
        }
        append(UInt8(ascii: "\""))
    }

    private mutating func append(escaped byte: UInt8) {
        append(UInt8(ascii: "\\"))
        switch byte {
        case 0x0A: append(UInt8(ascii: "n"))
        case 0x22, 0x5C: append(byte)
        default:
            append("u00")
            withUnsafeBytes(of: byte) { append(hex: $0) }
        }
    }

    // MARK: Times

    /// A time in Unix seconds, in the form of RFC 3339, in UTC.
    mutating func append(utc seconds: UInt64, separator: UInt8 = UInt8(ascii: "T"), end: StaticString = "Z") {
        // The calendar here ends with the year 9999.
        let seconds = min(seconds, 253_402_300_799)
        let (day, rest) = (seconds / 86_400, seconds % 86_400)
        if day != self.day { (self.day, date) = (day, Self.text(ofDay: day)) }
        reserve(19)
        let place = UnsafeMutableRawPointer(base + count)
        place.storeBytes(of: date.yearAndMonth, as: UInt64.self)
        place.storeBytes(of: date.day, toByteOffset: 8, as: UInt16.self)
        count += 10
        put(separator)
        put(twoDigits: rest / 3600)
        put(UInt8(ascii: ":"))
        put(twoDigits: rest / 60 % 60)
        put(UInt8(ascii: ":"))
        put(twoDigits: rest % 60)
        append(end)
    }

    @inline(__always)
    private mutating func put(twoDigits number: UInt64) {
        put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        put(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    /// A time as text by itself.
    static func utc(_ seconds: UInt64) -> String {
        var text = TextBuffer()
        text.append(utc: seconds)
        return String(decoding: text.contents, as: UTF8.self)
    }

    /// The ten bytes of a date, as they lie in memory: `2026-11-` and `25`.
    private static func text(ofDay day: UInt64) -> (yearAndMonth: UInt64, day: UInt16) {
        let (year, month, day) = date(day)
        var (first, last): (UInt64, UInt16) = (0, 0)
        for (index, value) in [year / 1000, year / 100, year / 10, year].enumerated() {
            first |= (48 + value % 10) << UInt64(8 * index)
        }
        first |= 0x2D << 32 | (48 + month / 10) << 40 | (48 + month % 10) << 48 | 0x2D << 56
        last = UInt16(truncatingIfNeeded: (48 + day / 10) | (48 + day % 10) << 8)
        return (first.littleEndian, last.littleEndian)
    }

    /// The date of a day since 1970, by the Gregorian calendar with years that begin in March.
    private static func date(_ days: UInt64) -> (year: UInt64, month: UInt64, day: UInt64) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * marchMonth + 2) / 5 + 1)
    }
}
