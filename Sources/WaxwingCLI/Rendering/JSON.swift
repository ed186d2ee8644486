import FoundationEssentials

/// Results for scripts.
enum JSON {
    /// The value on one line. Whatever could disturb a terminal is escaped, so nothing is lost.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        var result = ""
        for scalar in text.unicodeScalars {
            // JSON on one line has such scalars only inside strings.
            if scalar.disturbsTerminals {
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
