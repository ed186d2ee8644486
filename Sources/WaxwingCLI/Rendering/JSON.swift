import FoundationEssentials

/// Results for scripts.
enum JSON {
    /// The value on one line. Whatever could disturb a terminal stands escaped in it, so that nothing is lost and nothing happens.
    static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let text = String(decoding: try encoder.encode(value), as: UTF8.self)
        var result = ""
        for scalar in text.unicodeScalars {
            // Outside of strings JSON on one line has no such scalars.
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
