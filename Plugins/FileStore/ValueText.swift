import OpenSSLPrimitives

/// The text form of bytes: keys in hex; values in quotes if most of it is readable, otherwise in base64.
///
/// `"\x00\x05hello, günther"` is a value of fifteen bytes. Inside the quotes every printable character stands for its
/// UTF-8, `\"`, `\\`, `\n` for themselves, and `\x` with two hex digits for any other byte.
enum ValueText {
    /// How much longer than its base64 form a quoted value may be before base64 is used.
    private static let quotedFactor = 1.5

    static func append(_ value: [UInt8], to text: inout [UInt8]) {
        let base64Length = (value.count + 2) / 3 * 4
        let start = text.count
        let limit = start + Int(Double(base64Length) * quotedFactor) + 4
        if appendQuoted(value, to: &text, upTo: limit) { return }
        text.removeLast(text.count - start)
        text.append(contentsOf: Base64.text(of: value))
    }

    /// - Returns: nil if the text is not one that ``append(_:to:)`` writes.
    static func value(of text: ArraySlice<UInt8>) -> [UInt8]? {
        text.first == UInt8(ascii: "\"") ? quotedValue(text) : Base64.bytes(of: text)
    }

    static func appendHex(_ bytes: [UInt8], to text: inout [UInt8]) {
        for byte in bytes {
            text.append(hexDigits[Int(byte >> 4)])
            text.append(hexDigits[Int(byte & 15)])
        }
    }

    static func bytes(ofHex text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2)
        var index = text.startIndex
        while index < text.endIndex {
            guard let high = digit(text[index]), let low = digit(text[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }

    // MARK: Quoted

    private static func appendQuoted(_ value: [UInt8], to text: inout [UInt8], upTo limit: Int) -> Bool {
        text.append(UInt8(ascii: "\""))
        var index = 0
        while index < value.count {
            if text.count > limit { return false }
            let byte = value[index]
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case UInt8(ascii: "\n"):
                text.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0x20..<0x7f:
                text.append(byte)
            default:
                let length = byte < 0x80 ? 0 : printableLength(value, at: index)
                if length > 0 {
                    text.append(contentsOf: value[index..<index + length])
                    index += length
                    continue
                }
                text.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "x")])
                appendHex([byte], to: &text)
            }
            index += 1
        }
        text.append(UInt8(ascii: "\""))
        return text.count <= limit
    }

    /// The length of a character beyond ASCII that is safe to show in a terminal; 0 for anything else.
    private static func printableLength(_ value: [UInt8], at index: Int) -> Int {
        let length = value[index] >= 0xf0 ? 4 : value[index] >= 0xe0 ? 3 : 2
        guard index + length <= value.count else { return 0 }
        var iterator = value[index..<index + length].makeIterator()
        var decoder = UTF8()
        guard case .scalarValue(let scalar) = decoder.decode(&iterator), UTF8.width(scalar) == length else { return 0 }
        switch scalar.properties.generalCategory {
        case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator: return 0
        default: return length
        }
    }

    private static func quotedValue(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return nil }
        var value: [UInt8] = []
        value.reserveCapacity(text.count)
        var index = text.startIndex + 1
        let end = text.endIndex - 1
        while index < end {
            let byte = text[index]
            index += 1
            guard byte == UInt8(ascii: "\\") else {
                value.append(byte)
                continue
            }
            guard index < end else { return nil }
            switch text[index] {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): value.append(text[index])
            case UInt8(ascii: "n"): value.append(UInt8(ascii: "\n"))
            case UInt8(ascii: "x"):
                guard index + 2 < end, let high = digit(text[index + 1]), let low = digit(text[index + 2]) else {
                    return nil
                }
                value.append(high << 4 | low)
                index += 2
            default: return nil
            }
            index += 1
        }
        return value
    }

    private static let hexDigits = Array("0123456789abcdef".utf8)

    private static func digit(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
