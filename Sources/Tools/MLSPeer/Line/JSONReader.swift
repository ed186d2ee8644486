/// Reads JSON text (RFC 8259) strictly: no trailing commas, no comments, nothing after the value.
struct JSONReader {
    /// Deeper nesting than any request has, and harmless to the stack.
    private static let depthMax = 64
    /// More values than any request has: each takes a dozen times the memory that it takes on the line.
    private static let valuesMax = 1 << 18

    private let text: [UInt8]
    private var values = 0
    private var position = 0

    /// - Throws: ``PeerError`` that names the place.
    static func read(_ text: [UInt8]) throws(PeerError) -> PeerJSON {
        var reader = JSONReader(text: text)
        let value = try reader.value(depth: 0)
        reader.skipSpace()
        if reader.position < text.count { throw reader.failure("something behind the end") }
        return value
    }

    private init(text: [UInt8]) { self.text = text }

    private func failure(_ what: String) -> PeerError {
        PeerError("the line is not JSON: \(what) at byte \(position)")
    }

    private var next: UInt8? { position < text.count ? text[position] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x09, 0x0A, 0x0D].contains(byte) { position += 1 }
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        if next != UInt8(ascii: character) { return false }
        position += 1
        return true
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(PeerError) {
        if !take(character) { throw failure("no `\(character)`") }
    }

    private mutating func value(depth: Int) throws(PeerError) -> PeerJSON {
        if depth > Self.depthMax { throw failure("nested too deeply") }
        values += 1
        if values > Self.valuesMax { throw failure("too many values") }
        skipSpace()
        guard let first = next else { throw failure("no value") }
        switch first {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw failure("no value")
        }
    }

    private mutating func word(_ word: StaticString, _ value: PeerJSON) throws(PeerError) -> PeerJSON {
        let end = position + word.utf8CodeUnitCount
        guard end <= text.count, text[position..<end].elementsEqual("\(word)".utf8) else { throw failure("no value") }
        position = end
        return value
    }

    private mutating func object(depth: Int) throws(PeerError) -> [String: PeerJSON] {
        var fields: [String: PeerJSON] = [:]
        position += 1
        skipSpace()
        if take("}") { return fields }
        repeat {
            skipSpace()
            if next != UInt8(ascii: "\"") { throw failure("no name") }
            let name = try string()
            skipSpace()
            try expect(":")
            // If a name comes twice, the last one counts, as nearly everywhere.
            fields[name] = try value(depth: depth + 1)
            skipSpace()
        } while take(",")
        try expect("}")
        return fields
    }

    private mutating func array(depth: Int) throws(PeerError) -> [PeerJSON] {
        var values: [PeerJSON] = []
        position += 1
        skipSpace()
        if take("]") { return values }
        repeat {
            values.append(try value(depth: depth + 1))
            skipSpace()
        } while take(",")
        try expect("]")
        return values
    }
}

// MARK: Strings

extension JSONReader {
    private mutating func string() throws(PeerError) -> String {
        position += 1
        var bytes: [UInt8] = []
        while true {
            let start = position
            while let byte = next, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 {
                position += 1
            }
            bytes += text[start..<position]
            if take("\"") { break }
            if !take("\\") { throw failure("a text that does not end, or a control character in it") }
            try escape(into: &bytes)
        }
        guard let string = String(validating: bytes, as: UTF8.self) else { throw failure("a text that is no UTF-8") }
        return string
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(PeerError) {
        guard let letter = next else { throw failure("half an escape") }
        position += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): bytes.append(letter)
        case UInt8(ascii: "b"): bytes.append(0x08)
        case UInt8(ascii: "f"): bytes.append(0x0C)
        case UInt8(ascii: "n"): bytes.append(0x0A)
        case UInt8(ascii: "r"): bytes.append(0x0D)
        case UInt8(ascii: "t"): bytes.append(0x09)
        case UInt8(ascii: "u"): bytes += String(try unicodeEscape()).utf8
        default: throw failure("an escape that does not exist")
        }
    }

    private mutating func unicodeEscape() throws(PeerError) -> Unicode.Scalar {
        let first = try codeUnit()
        if let scalar = Unicode.Scalar(first) { return scalar }
        // The first half of a pair, whose second half must follow.
        guard UTF16.isLeadSurrogate(first), take("\\"), take("u") else { throw failure("half a surrogate pair") }
        let second = try codeUnit()
        guard UTF16.isTrailSurrogate(second) else { throw failure("half a surrogate pair") }
        return UTF16.decode(UTF16.EncodedScalar([first, second]))
    }

    private mutating func codeUnit() throws(PeerError) -> UInt16 {
        let end = position + 4
        guard end <= text.count, let unit = Hex.bytes(String(decoding: text[position..<end], as: UTF8.self)) else {
            throw failure("no four hexadecimal digits")
        }
        position = end
        return UInt16(unit[0]) << 8 | UInt16(unit[1])
    }
}

// MARK: Numbers

extension JSONReader {
    private mutating func number() throws(PeerError) -> PeerJSON {
        let start = position
        _ = take("-")
        if !take("0") { try digits() }
        let isWhole = next != UInt8(ascii: ".") && next != UInt8(ascii: "e") && next != UInt8(ascii: "E")
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("-") { _ = take("+") }
            try digits()
        }
        let digits = String(decoding: text[start..<position], as: UTF8.self)
        // Whole numbers keep all their digits if there is room for them.
        if isWhole, let value = Int64(digits) { return .integer(value) }
        if isWhole, let value = UInt64(digits) { return .large(value) }
        guard let value = Double(digits), value.isFinite else { throw failure("a number that is too large") }
        return .number(value)
    }

    private mutating func digits() throws(PeerError) {
        let start = position
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
        if position == start { throw failure("no digit") }
    }
}
