/// Makes strangers' text harmless for a terminal: no escape sequences, no hidden changes of the writing direction.
extension String {
    /// Removes control characters; line ends and tabs become spaces.
    var onOneLine: String { cleaned(lineEnd: " ") }

    /// Removes control characters except line ends, which all become `\n`; tabs become spaces.
    var onItsLines: String { cleaned(lineEnd: "\n") }

    /// Indents every line after the first by `columns`, so that no one's text can pass for a line of ours.
    func indented(by columns: Int) -> String {
        onItsLines.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\n" + String(repeating: " ", count: columns))
    }

    /// At most `count` characters of it, on one line.
    func shortened(to count: Int) -> String {
        let line = onOneLine
        return line.count <= count ? line : line.prefix(count - 1) + "…"
    }

    private func cleaned(lineEnd: Unicode.Scalar) -> String {
        var result = String.UnicodeScalarView()
        var afterReturn = false
        for scalar in unicodeScalars {
            defer { afterReturn = scalar == "\r" }
            switch scalar {
            case "\n" where afterReturn: continue
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": result.append(lineEnd)
            case "\t": result.append(" ")
            default: if !scalar.disturbsTerminals { result.append(scalar) }
            }
        }
        return String(result)
    }
}

extension Unicode.Scalar {
    /// C0, DEL, C1, and the marks, embeddings, overrides and isolates that change the writing direction (UAX #9 §2).
    var disturbsTerminals: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0, 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
