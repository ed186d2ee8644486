import ConclaveProtocol
import WaxwingCore

/// Reads lines as ``RowLine`` writes them, and no others.
struct RowParser {
    private let bytes: UnsafeRawBufferPointer
    private var place = 0

    /// - Parameter line: with its end.
    /// - Throws: `damaged`.
    static func parse(_ line: UnsafeRawBufferPointer) throws(ArchiveError) -> (group: ID, row: HistoryRow) {
        var parser = RowParser(bytes: line)
        return try parser.row()
    }

    private init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func row() throws(ArchiveError) -> (group: ID, row: HistoryRow) {
        try expect(#"{"group":""#)
        let group = try id()
        try expect(#"","era":"#)
        let era = try number(UInt32.self)
        try expect(#","sequence":"#)
        let sequence = try number(UInt64.self)
        try expect(#","time":"#)
        let time = try number(UInt64.self)
        try expect(#","utc":"#)
        _ = try string()
        try expect(#","sender":""#)
        let sender = try id()
        try expect(#"","name":"#)
        _ = try string()
        try expect(#","type":""#)
        let content = try content()
        var row = HistoryRow(sequence: sequence, era: era, sender: sender, time: time, content: content)
        row.hasOtherKey = take(#","otherKey":true"#)
        try expect(#","epoch":"#)
        row.epoch = try number(UInt64.self)
        if take(#","generation":"#) { row.generation = try number(UInt32.self) }
        if take(#","id":""#) {
            row.messageID = MessageID(try hex(16))
            try expect(#"""#)
        }
        if take(#","sha256":""#) {
            row.digest = try hex(32)
            try expect(#"""#)
        }
        try expect("}\n")
        guard place == bytes.count else { throw Self.damaged }
        return (group, row)
    }

    private mutating func content() throws(ArchiveError) -> HistoryRow.Content {
        if take(#"text","text":"#) { return .text(try string()) }
        if take(#"unreadable","reason":""#) {
            for (reason, name) in RowLine.reasons where take(name) {
                try expect(#"""#)
                return .unreadable(reason)
            }
            throw Self.damaged
        }
        try expect(#"system","events":["#)
        var events: [SystemEvent] = []
        while !take("]") {
            if !events.isEmpty { try expect(",") }
            try expect(#"{"kind":""#)
            let kind = try kind()
            try expect(#"","actor":""#)
            let actor = try id()
            try expect(#"","subject":""#)
            let subject = try id()
            try expect(#"""#)
            var count: UInt32 = 1
            if kind == .missing {
                try expect(#","count":"#)
                count = try number(UInt32.self)
            }
            events.append(SystemEvent(kind, actor: actor, subject: subject, count: count))
            try expect("}")
        }
        return .system(events)
    }

    private mutating func kind() throws(ArchiveError) -> SystemEvent.Kind {
        let start = place
        while place < bytes.count, bytes[place] != UInt8(ascii: "\"") { place += 1 }
        let word = bytes[start..<place]
        for (kind, name) in RowLine.events {
            let name = UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
            if word.elementsEqual(name) { return kind }
        }
        throw Self.damaged
    }

    // MARK: Pieces

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard bytes.count - place >= count else { return false }
        for index in 0..<count where bytes[place + index] != text.utf8Start[index] { return false }
        place += count
        return true
    }

    private mutating func expect(_ text: StaticString) throws(ArchiveError) {
        if !take(text) { throw Self.damaged }
    }

    private mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_: Number.Type) throws(ArchiveError)
        -> Number
    {
        var value: Number = 0
        let start = place
        while place < bytes.count, case let digit = bytes[place] &- 48, digit < 10 {
            let (product, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = product.addingReportingOverflow(Number(digit))
            if isTooLarge || isLarger { throw Self.damaged }
            value = sum
            place += 1
        }
        // A number as it is written: without leading zeros.
        guard place > start, place == start + 1 || bytes[start] != 48 else { throw Self.damaged }
        return value
    }

    private mutating func hex(_ count: Int) throws(ArchiveError) -> [UInt8] {
        guard bytes.count - place >= 2 * count else { throw Self.damaged }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        for _ in 0..<count { result.append(try hexByte()) }
        return result
    }

    private mutating func hexByte() throws(ArchiveError) -> UInt8 {
        guard bytes.count - place >= 2, let high = Self.value(bytes[place]), let low = Self.value(bytes[place + 1])
        else {
            throw Self.damaged
        }
        place += 2
        return high << 4 | low
    }

    private mutating func id() throws(ArchiveError) -> ID {
        var result: [UInt8] = []
        result.reserveCapacity(16)
        for index in 0..<16 {
            if index == 4 || index == 6 || index == 8 || index == 10 { try expect("-") }
            result.append(try hexByte())
        }
        guard let id = ID(result) else { throw Self.damaged }
        return id
    }

    /// A JSON string with its quotes.
    private mutating func string() throws(ArchiveError) -> String {
        try expect(#"""#)
        let start = place
        while place < bytes.count, bytes[place] != 0x22, bytes[place] != 0x5C, bytes[place] >= 0x20 { place += 1 }
        if place < bytes.count, bytes[place] == 0x22 {
            defer { place += 1 }
            return try Self.text(bytes[start..<place])
        }
        var text = Array(bytes[start..<place])
        while true {
            guard place < bytes.count, bytes[place] >= 0x20 else { throw Self.damaged }
            let byte = bytes[place]
            place += 1
            switch byte {
            case 0x22: return try Self.text(text)
            case 0x5C: text.append(try escaped())
            default: text.append(byte)
            }
        }
    }

    private mutating func escaped() throws(ArchiveError) -> UInt8 {
        if take("n") { return 0x0A }
        if take(#"""#) { return 0x22 }
        if take(#"\"#) { return 0x5C }
        try expect("u00")
        let byte = try hexByte()
        guard byte < 0x20, byte != 0x0A else { throw Self.damaged }
        return byte
    }

    private static func text(_ bytes: some Collection<UInt8>) throws(ArchiveError) -> String {
        guard let text = String(validating: bytes, as: UTF8.self) else { throw damaged }
        return text
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 48...57: digit - 48
        case 97...102: digit - 87
        default: nil
        }
    }

    static var damaged: ArchiveError {
        ArchiveError(.damaged, "a line of messages.jsonl is not as this program writes them")
    }
}
