/// Any JSON value, as it was read or is to be written.
enum PeerJSON: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Integers above `Int64.max`.
    case large(UInt64)
    case number(Double)
    case string(String)
    case array([PeerJSON])
    case object([String: PeerJSON])

    init(_ integer: some BinaryInteger) {
        if let value = Int64(exactly: integer) {
            self = .integer(value)
        } else {
            self = .large(UInt64(truncatingIfNeeded: integer))
        }
    }

    /// Binary data the way the protocol writes it; nil becomes null.
    static func hex(_ bytes: [UInt8]?) -> PeerJSON { bytes.map { .string(Hex.string($0)) } ?? .null }

    /// What the value is called in an error.
    var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .integer, .large, .number: "a number"
        case .string: "a text"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

extension PeerJSON {
    /// Appends the value's JSON text, on one line.
    func write(to text: inout [UInt8]) {
        switch self {
        case .null: text += "null".utf8
        case .bool(let value): text += (value ? "true" : "false").utf8
        case .integer(let value): text += String(value).utf8
        case .large(let value): text += String(value).utf8
        case .number(let value): text += value.description.utf8
        case .string(let value): Self.write(value, to: &text)
        case .array(let values):
            text.append(UInt8(ascii: "["))
            for (position, value) in values.enumerated() {
                if position > 0 { text.append(UInt8(ascii: ",")) }
                value.write(to: &text)
            }
            text.append(UInt8(ascii: "]"))
        case .object(let fields):
            Self.write(fields.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }, to: &text)
        }
    }

    static func write(_ fields: [(name: String, value: PeerJSON)], to text: inout [UInt8]) {
        text.append(UInt8(ascii: "{"))
        for (position, field) in fields.enumerated() {
            if position > 0 { text.append(UInt8(ascii: ",")) }
            write(field.name, to: &text)
            text.append(UInt8(ascii: ":"))
            field.value.write(to: &text)
        }
        text.append(UInt8(ascii: "}"))
    }

    private static func write(_ string: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in string.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                text.append(UInt8(ascii: "\\"))
                text.append(byte)
            case 0..<0x20:
                let digits = Hex.digits(byte)
                text += "\\u00".utf8
                text += [digits.high, digits.low]
            default:
                text.append(byte)
            }
        }
        text.append(UInt8(ascii: "\""))
    }
}
