/// Tells code from comments and strings, so that a rule about code does not trip over words. Regex literals are taken for code.
enum CodeScanner {
    private enum Place {
        /// Inside `\(…)` of a string the depth of parentheses counts; outside of strings it does not matter.
        case code(depth: Int)
        case lineComment
        case blockComment(depth: Int)
        case string(quote: String, hashes: String)
    }

    /// The text with everything but code replaced by blanks; line ends and quotes stay.
    static func codeOnly(_ text: String) -> String {
        var places: [Place] = [.code(depth: 0)]
        var result = ""
        var rest = Substring(text)

        func take(_ count: Int, asCode isCode: Bool) {
            for character in rest.prefix(count) { result.append(isCode || character.isNewline ? character : " ") }
            rest = rest.dropFirst(count)
        }

        while let next = rest.first, let place = places.last {
            switch place {
            case .code(let depth):
                if rest.hasPrefix("//") {
                    places.append(.lineComment)
                    take(2, asCode: false)
                } else if rest.hasPrefix("/*") {
                    places.append(.blockComment(depth: 1))
                    take(2, asCode: false)
                } else if let (quote, hashes) = opening(of: rest) {
                    places.append(.string(quote: quote, hashes: hashes))
                    take(hashes.count + quote.count, asCode: true)
                } else {
                    if next == "(" { places[places.count - 1] = .code(depth: depth + 1) }
                    if next == ")" {
                        places[places.count - 1] = .code(depth: depth - 1)
                        if depth == 0, places.count > 1 { places.removeLast() }
                    }
                    take(1, asCode: true)
                }
            case .lineComment:
                if next.isNewline { places.removeLast() }
                take(1, asCode: false)
            case .blockComment(let depth):
                if rest.hasPrefix("*/") {
                    places.removeLast()
                    if depth > 1 { places.append(.blockComment(depth: depth - 1)) }
                    take(2, asCode: false)
                } else if rest.hasPrefix("/*") {
                    places[places.count - 1] = .blockComment(depth: depth + 1)
                    take(2, asCode: false)
                } else {
                    take(1, asCode: false)
                }
            case .string(let quote, let hashes):
                if rest.hasPrefix(quote + hashes) {
                    places.removeLast()
                    take(quote.count + hashes.count, asCode: true)
                } else if rest.hasPrefix("\\" + hashes + "(") {
                    places.append(.code(depth: 0))
                    take(hashes.count + 2, asCode: false)
                } else {
                    take(hashes.isEmpty && next == "\\" ? 2 : 1, asCode: false)
                }
            }
        }
        return result
    }

    private static func opening(of text: Substring) -> (quote: String, hashes: String)? {
        let hashes = String(text.prefix { $0 == "#" })
        let rest = text.dropFirst(hashes.count)
        if rest.hasPrefix("\"\"\"") { return ("\"\"\"", hashes) }
        return rest.hasPrefix("\"") ? ("\"", hashes) : nil
    }
}
