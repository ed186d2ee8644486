import ConclaveProtocol
import func Glibc.memcmp
import WaxwingCore

/// What counting and ordering need to know about a row.
struct RowFacts: Hashable {
    var group: ID
    var era: UInt32
    var sequence: UInt64
    var time: UInt64
    /// Why it could not be opened, if it could not.
    var reason: HistoryRow.Unreadable?
}

extension RowFacts {
    init(_ row: HistoryPage.Row, _ sequence: UInt64, of group: ID) {
        self.init(group: group, era: row.era, sequence: sequence, time: row.time)
        if case .unreadable(let reason) = row.content { self.reason = reason }
    }

    /// Reads them from a line, which must be exactly as ``RowLine`` writes it. Accepts the same lines as ``RowParser``
    /// at a fraction of the cost, as it keeps nothing of what people wrote.
    ///
    /// - Parameter line: with its end.
    /// - Throws: `damaged`.
    init(_ line: UnsafeRawBufferPointer) throws(ArchiveError) {
        var scanner = RowScanner()
        self = try scanner.facts(of: line)
    }
}

/// Scans each line once, without allocating memory.
struct RowScanner {
    private var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    private var place = 0
    /// The beginning of an earlier line, and its meaning: the next line usually begins in the same way.
    private var head = UnsafeRawBufferPointer(start: nil, count: 0)
    private var headFacts: (group: ID, era: UInt32) = (.nobody, 0)

    /// - Parameter line: with its end. All lines must stay in place while the scanner is used.
    /// - Throws: `damaged`.
    mutating func facts(of line: UnsafeRawBufferPointer) throws(ArchiveError) -> RowFacts {
        (bytes, place) = (line, 0)
        guard let facts = row() else { throw RowParser.damaged }
        return facts
    }

    private mutating func row() -> RowFacts? {
        if !takeHead() {
            guard take(#"{"group":""#), let group = id(), take(#"","era":"#), let era = number(UInt64(UInt32.max)),
                take(#","sequence":"#)
            else { return nil }
            head = UnsafeRawBufferPointer(rebasing: bytes[..<place])
            headFacts = (group, UInt32(truncatingIfNeeded: era))
        }
        guard let sequence = number(), take(#","time":"#), let time = number(),
            take(#","utc":"#), string(), take(#","sender":""#), id() != nil, take(#"","name":"#), string(),
            take(#","type":""#)
        else { return nil }
        var facts = RowFacts(
            group: headFacts.group, era: headFacts.era, sequence: sequence, time: time, reason: nil)
        guard content(&facts.reason) else { return nil }
        _ = take(#","otherKey":true"#)
        guard take(#","epoch":"#), number() != nil else { return nil }
        if take(#","generation":"#), number(UInt64(UInt32.max)) == nil { return nil }
        if take(#","id":""#) { guard hex(32), take(#"""#) else { return nil } }
        if take(#","sha256":""#) { guard hex(64), take(#"""#) else { return nil } }
        guard take("}\n"), place == bytes.count else { return nil }
        return facts
    }

    private mutating func content(_ reason: inout HistoryRow.Unreadable?) -> Bool {
        if take(#"text","text":"#) { return string() }
        if take(#"unreadable","reason":""#) {
            reason = RowLine.reasons.first { take($0.name) }?.reason
            return reason != nil && take(#"""#)
        }
        guard take(#"system","events":["#) else { return false }
        var isFirst = true
        while !take("]") {
            guard isFirst || take(","), take(#"{"kind":""#), let kind = kind(), take(#"","actor":""#), id() != nil,
                take(#"","subject":""#), id() != nil, take(#"""#)
            else { return false }
            if kind == .missing { guard take(#","count":"#), number(UInt64(UInt32.max)) != nil else { return false } }
            guard take("}") else { return false }
            isFirst = false
        }
        return true
    }

    private mutating func kind() -> SystemEvent.Kind? {
        RowLine.events.first { event in
            let end = place + event.name.utf8CodeUnitCount
            return end < bytes.count && bytes[end] == UInt8(ascii: "\"") && take(event.name)
        }?.kind
    }

    // MARK: Pieces

    private mutating func takeHead() -> Bool {
        guard let known = head.baseAddress, let base = bytes.baseAddress, bytes.count >= head.count,
            memcmp(base, known, head.count) == 0
        else { return false }
        place = head.count
        return true
    }

    @inline(__always)
    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - place >= count, let base = bytes.baseAddress,
            memcmp(base + place, text.utf8Start, count) == 0
        else { return false }
        place += count
        return true
    }

    /// A number as it is written: without leading zeros.
    private mutating func number(_ limit: UInt64 = .max) -> UInt64? {
        let start = place
        var value: UInt64 = 0
        if bytes.count - place >= 8 {
            let (digits, first) = ByteScan.digits(word(0))
            value = first
            place += digits
        }
        while place < bytes.count, case let digit = bytes[place] &- 48, digit < 10 {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(UInt64(digit))
            if isTooLarge || isLarger { return nil }
            value = sum
            place += 1
        }
        guard place > start, place == start + 1 || bytes[start] != 48, value <= limit else { return nil }
        return value
    }

    @inline(__always)
    private func word(_ offset: Int) -> UInt64 {
        UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place + offset, as: UInt64.self))
    }

    /// This many digits, a multiple of eight.
    private mutating func hex(_ count: Int) -> Bool {
        guard bytes.count - place >= count else { return false }
        let end = place + count
        var digits = ByteScan.tops
        while place < end {
            digits &= ByteScan.hexDigits(word(0))
            place += 8
        }
        return digits == ByteScan.tops
    }

    @inline(__always)
    private func half(_ offset: Int) -> UInt64 {
        UInt64(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + offset, as: UInt32.self)))
    }

    private mutating func id() -> ID? {
        guard bytes.count - place >= 36 else { return nil }
        let hyphen = UInt8(ascii: "-")
        guard bytes[place + 8] == hyphen, bytes[place + 13] == hyphen, bytes[place + 18] == hyphen,
            bytes[place + 23] == hyphen
        else { return nil }
        let words = (word(0), half(9) | half(14) << 32, half(19) | half(24) << 32, word(28))
        let digits =
            ByteScan.hexDigits(words.0) & ByteScan.hexDigits(words.1) & ByteScan.hexDigits(words.2)
            & ByteScan.hexDigits(words.3)
        guard digits == ByteScan.tops else { return nil }
        place += 36
        return ID(
            high: ByteScan.value(ofHex: words.0) << 32 | ByteScan.value(ofHex: words.1),
            low: ByteScan.value(ofHex: words.2) << 32 | ByteScan.value(ofHex: words.3))
    }

    /// A JSON string with its quotes, of well-formed UTF-8.
    private mutating func string() -> Bool {
        guard take(#"""#) else { return false }
        while true {
            place = ByteScan.specialOrWide(bytes, from: place)
            guard place < bytes.count else { return false }
            switch bytes[place] {
            case 0x22:
                place += 1
                return true
            case 0x5C: if !escaped() { return false }
            case 0x80...:
                guard let end = ByteScan.endOfWide(bytes, at: place) else { return false }
                place = end
            default: return false
            }
        }
    }

    private mutating func escaped() -> Bool {
        if take(#"\n"#) || take(#"\""#) || take(#"\\"#) { return true }
        guard take(#"\u00"#), bytes.count - place >= 2 else { return false }
        let (high, low) = (bytes[place], bytes[place + 1])
        place += 2
        // 00 to 1f, without 0a, which has a shorter form.
        let isDigit = 48...57 ~= low || 97...102 ~= low
        return isDigit && (high == 49 || high == 48 && low != 97)
    }
}
