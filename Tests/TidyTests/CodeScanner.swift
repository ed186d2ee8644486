/// Tells code from comments and strings, so that a rule about code does not trip over words. Regex literals count as
/// code.
///
/// Works on bytes: every file of the package is read.
struct CodeScanner {
    private enum Place {
        /// Inside `\(…)` of a string, the depth of parentheses counts; outside strings it does not matter.
        case code(depth: Int)
        case lineComment
        case blockComment(depth: Int)
        /// Ends with as many quotes and hashes as it began with.
        case string(quotes: Int, hashes: Int)
    }

    /// The text with everything but code replaced by blanks; line ends and quotes stay.
    static func codeOnly(_ text: String) -> String {
        var scanner = CodeScanner(text)
        while scanner.position < scanner.bytes.count { scanner.step() }
        return String(decoding: scanner.bytes, as: UTF8.self)
    }

    private var bytes: [UInt8]
    private var position = 0
    private var places: [Place] = [.code(depth: 0)]

    private init(_ text: String) { bytes = Array(text.utf8) }

    private mutating func step() {
        switch places[places.count - 1] {
        case .code(let depth):
            if isNext("//") {
                places.append(.lineComment)
            } else if isNext("/*") {
                places.append(.blockComment(depth: 1))
                blank(2)
            } else if let (quotes, hashes) = opening() {
                places.append(.string(quotes: quotes, hashes: hashes))
                position += hashes + quotes
            } else {
                countParenthesis(depth)
                position += 1
            }
        case .lineComment:
            if isNext("\n") { places.removeLast() }
            blank(1)
        case .blockComment(let depth):
            if isNext("*/") {
                places.removeLast()
                if depth > 1 { places.append(.blockComment(depth: depth - 1)) }
                blank(2)
            } else if isNext("/*") {
                places[places.count - 1] = .blockComment(depth: depth + 1)
                blank(2)
            } else {
                blank(1)
            }
        case .string(let quotes, let hashes):
            if count("\"", from: position, upTo: quotes) == quotes,
                count("#", from: position + quotes, upTo: hashes) == hashes
            {
                places.removeLast()
                position += quotes + hashes
            } else if isNext("\\"), count("#", from: position + 1, upTo: hashes) == hashes {
                blank(1 + hashes)
                if isNext("(") { places.append(.code(depth: 0)) }
                blank(1)
            } else {
                blank(1)
            }
        }
    }

    private mutating func countParenthesis(_ depth: Int) {
        if isNext("(") { places[places.count - 1] = .code(depth: depth + 1) }
        if isNext(")") {
            places[places.count - 1] = .code(depth: depth - 1)
            if depth == 0, places.count > 1 { places.removeLast() }
        }
    }

    private func opening() -> (quotes: Int, hashes: Int)? {
        guard isNext("#") || isNext("\"") else { return nil }
        let hashes = count("#", from: position, upTo: .max)
        let quotes = count("\"", from: position + hashes, upTo: 3)
        // Two quotes are an empty string.
        return quotes == 0 ? nil : (quotes == 3 ? 3 : 1, hashes)
    }

    private func isNext(_ text: StaticString) -> Bool {
        guard bytes.count - position >= text.utf8CodeUnitCount else { return false }
        return (0..<text.utf8CodeUnitCount).allSatisfy { bytes[position + $0] == text.utf8Start[$0] }
    }

    private func count(_ character: Unicode.Scalar, from start: Int, upTo limit: Int) -> Int {
        var end = start
        while end < bytes.count, end - start < limit, bytes[end] == UInt8(ascii: character) { end += 1 }
        return end - start
    }

    private mutating func blank(_ count: Int) {
        for _ in 0..<count where position < bytes.count {
            if bytes[position] != UInt8(ascii: "\n") { bytes[position] = UInt8(ascii: " ") }
            position += 1
        }
    }
}
