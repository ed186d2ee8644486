import ConclaveProtocol

/// Text that is put together piece by piece, in one place that is used again.
struct TextBuffer {
    private(set) var bytes: [UInt8] = []

    var count: Int { bytes.count }
    var isEmpty: Bool { bytes.isEmpty }

    mutating func reserve(_ count: Int) { bytes.reserveCapacity(count) }
    mutating func clear() { bytes.removeAll(keepingCapacity: true) }
    mutating func truncate(to count: Int) { bytes.removeLast(bytes.count - count) }

    mutating func append(_ text: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    mutating func append(_ byte: UInt8) { bytes.append(byte) }
    mutating func append(raw: some Collection<UInt8>) { bytes.append(contentsOf: raw) }

    mutating func append(_ number: UInt64) {
        if number < 10 { return bytes.append(UInt8(ascii: "0") + UInt8(number)) }
        let start = bytes.count
        var rest = number
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        }
        bytes[start...].reverse()
    }

    /// With zeros in front, up to `width` digits.
    mutating func append(_ number: UInt64, width: Int) {
        var digits = 1
        var rest = number
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        for _ in 0..<max(0, width - digits) { bytes.append(UInt8(ascii: "0")) }
        append(number)
    }

    mutating func append(hex: some Collection<UInt8>) {
        for byte in hex {
            bytes.append(Self.digit(byte >> 4))
            bytes.append(Self.digit(byte & 15))
        }
    }

    /// As a UUID is written.
    mutating func append(_ id: ID) {
        for (index, byte) in id.bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { bytes.append(UInt8(ascii: "-")) }
            bytes.append(Self.digit(byte >> 4))
            bytes.append(Self.digit(byte & 15))
        }
    }

    /// A JSON string with its quotes. Control characters are escaped; everything else stands as it is, in UTF-8.
    mutating func append(json text: String) {
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { characters in
            var start = 0
            for (index, byte) in characters.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
                bytes.append(contentsOf: characters[start..<index])
                start = index + 1
                bytes.append(UInt8(ascii: "\\"))
                switch byte {
                case 0x0A: bytes.append(UInt8(ascii: "n"))
                case 0x22, 0x5C: bytes.append(byte)
                default:
                    append("u00")
                    bytes.append(Self.digit(byte >> 4))
                    bytes.append(Self.digit(byte & 15))
                }
            }
            bytes.append(contentsOf: characters[start...])
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A moment in Unix seconds as RFC 3339 has it, in UTC.
    mutating func append(utc seconds: UInt64, separator: UInt8 = UInt8(ascii: "T"), end: StaticString = "Z") {
        // No calendar goes further than the year 9999 here.
        let seconds = min(seconds, 253_402_300_799)
        let (days, rest) = (seconds / 86_400, seconds % 86_400)
        let (year, month, day) = Self.date(days)
        append(year, width: 4)
        bytes.append(UInt8(ascii: "-"))
        append(month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        append(day, width: 2)
        bytes.append(separator)
        append(rest / 3600, width: 2)
        bytes.append(UInt8(ascii: ":"))
        append(rest / 60 % 60, width: 2)
        bytes.append(UInt8(ascii: ":"))
        append(rest % 60, width: 2)
        append(end)
    }

    /// A moment as text by itself.
    static func utc(_ seconds: UInt64) -> String {
        var text = TextBuffer()
        text.append(utc: seconds)
        return String(decoding: text.bytes, as: UTF8.self)
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

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 48 + value : 87 + value }
}
