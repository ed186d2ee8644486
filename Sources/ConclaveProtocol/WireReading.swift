import FoundationEssentials

/// `bytes` as an id.
func checkedID(_ bytes: Data, _ name: String) throws(InvalidMessage) -> ID {
    guard let id = ID(bytes) else { throw InvalidMessage("\(name) is not 16 bytes") }
    return id
}

/// `bytes`, which must not be empty.
func nonEmpty(_ bytes: Data, _ name: String) throws(InvalidMessage) -> [UInt8] {
    guard !bytes.isEmpty else { throw InvalidMessage("\(name) is empty") }
    return Array(bytes)
}

/// A fingerprint: 64 lower-case hexadecimal digits. Nil for anything else: users upload their own, and must not be able
/// to spoil a roster for the others.
func checkedFingerprint(_ text: String) -> String? {
    guard text.utf8.count == 64, let bytes = hexDecode(Array(text.utf8)) else { return nil }
    return hexEncode(bytes)
}

/// Makes untrusted text safe to show: no control or format characters, at most `limit` characters, each of few scalars.
func printable(_ text: String, limit: Int) -> String {
    var kept = String.UnicodeScalarView()
    // A character can consist of any number of scalars: limit those, too.
    for scalar in text.unicodeScalars.prefix(limit * 4) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate: kept.append(" ")
        default: kept.append(scalar)
        }
    }
    let whole = String(kept).prefix(limit)
    guard let first = whole.firstIndex(where: { $0 != " " }), let last = whole.lastIndex(where: { $0 != " " }) else {
        return ""
    }
    return String(whole[first...last])
}

/// How many elements the lists of a message may have together, counted before the message is decoded.
struct ListBounds: Sendable {
    /// The number of the field that holds the list.
    var field: UInt64 = 1
    /// The number of a list's field inside each element, if there is one.
    var nested: UInt64?
    var limit = ProtocolLimits.listElements

    func check(_ body: [UInt8]) throws(InvalidMessage) {
        var count = 0
        try walk(body[...], field) { (element) throws(InvalidMessage) in
            count += 1
            if let nested {
                try walk(element, nested) { (_) throws(InvalidMessage) in count += 1 }
            }
            guard count <= limit else { throw InvalidMessage("it holds more than \(limit) elements") }
        }
        guard count <= limit else { throw InvalidMessage("it holds more than \(limit) elements") }
    }

    /// Passes each length-delimited value of `field` to `visit`.
    private func walk(
        _ bytes: ArraySlice<UInt8>, _ field: UInt64, _ visit: (ArraySlice<UInt8>) throws(InvalidMessage) -> Void
    ) throws(InvalidMessage) {
        var rest = bytes
        while !rest.isEmpty {
            let key = try varint(&rest)
            guard key >> 3 != 0 else { throw InvalidMessage("it holds a field without a number") }
            switch key & 7 {
            case 0: _ = try varint(&rest)
            case 1: _ = try take(8, &rest)
            case 2:
                let value = try take(try varint(&rest), &rest)
                if key >> 3 == field { try visit(value) }
            case 5: _ = try take(4, &rest)
            default: throw InvalidMessage("it holds a field of an unknown kind")
            }
        }
    }

    private func varint(_ bytes: inout ArraySlice<UInt8>) throws(InvalidMessage) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 70, by: 7) {
            guard let byte = bytes.popFirst() else { break }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw InvalidMessage("it does not decode")
    }

    private func take(_ count: UInt64, _ bytes: inout ArraySlice<UInt8>) throws(InvalidMessage) -> ArraySlice<UInt8> {
        guard count <= UInt64(bytes.count) else { throw InvalidMessage("it ends too early") }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return bytes.prefix(Int(count))
    }
}
