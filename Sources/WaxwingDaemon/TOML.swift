/// The part of TOML 1.0 that a list of options needs: comments, keys, strings, numbers, truth values and arrays.
///
/// Tables, dotted keys, dates, floats and multi-line strings are refused.
enum TOML {
    indirect enum Value: Hashable {
        case text(String)
        case number(Int64)
        case truth(Bool)
        case list([Value])
    }

    struct Entry: Hashable {
        let key: String
        let value: Value
        /// Counted from 1.
        let line: Int
    }

    struct Failure: Error, Hashable {
        let line: Int
        let reason: String
    }

    static func entries(of text: String) throws(Failure) -> [Entry] {
        var reader = Reader(text)
        var entries: [Entry] = []
        while try reader.skipToContent() {
            let line = reader.line
            let key = try reader.key()
            guard !entries.contains(where: { $0.key == key }) else { throw reader.failure("\(key) is set twice") }
            entries.append(Entry(key: key, value: try reader.value(), line: line))
            try reader.endOfLine()
        }
        return entries
    }

    private struct Reader {
        private let text: [Unicode.Scalar]
        private var place = 0
        private(set) var line = 1

        init(_ text: String) {
            self.text = Array(text.unicodeScalars)
        }

        func failure(_ reason: String) -> Failure { Failure(line: line, reason: reason) }

        private var next: Unicode.Scalar? { place < text.count ? text[place] : nil }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard next == scalar else { return false }
            place += 1
            if scalar == "\n" { line += 1 }
            return true
        }

        private mutating func skipSpaces() {
            while take(" ") || take("\t") {}
        }

        private mutating func skipComment() throws(Failure) {
            guard take("#") else { return }
            while let scalar = next, scalar != "\n" {
                let isCarriageReturn = scalar == "\r" && place + 1 < text.count && text[place + 1] == "\n"
                guard scalar.value >= 0x20 && scalar.value != 0x7F || scalar == "\t" || isCarriageReturn else {
                    throw failure("a control character")
                }
                place += 1
            }
        }

        private mutating func newline() -> Bool {
            if place + 1 < text.count, text[place] == "\r", text[place + 1] == "\n" { place += 1 }
            return take("\n")
        }

        /// False at the end of the text.
        mutating func skipToContent() throws(Failure) -> Bool {
            repeat {
                skipSpaces()
                try skipComment()
            } while newline()
            return next != nil
        }

        mutating func endOfLine() throws(Failure) {
            skipSpaces()
            try skipComment()
            guard next == nil || newline() else { throw failure("something follows the value") }
        }

        mutating func key() throws(Failure) -> String {
            guard next != "[" else { throw failure("tables are not supported") }
            var key = ""
            while let scalar = next, isBare(scalar) {
                key.unicodeScalars.append(scalar)
                place += 1
            }
            guard !key.isEmpty else { throw failure("a key consists of letters, digits, - and _") }
            skipSpaces()
            guard take("=") else { throw failure("= is missing after \(key)") }
            skipSpaces()
            return key
        }

        private func isBare(_ scalar: Unicode.Scalar) -> Bool {
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", "_": true
            default: false
            }
        }

        mutating func value() throws(Failure) -> Value {
            switch next {
            case "\"": return .text(try basicString())
            case "'": return .text(try literalString())
            case "[": return .list(try list())
            default: return try word()
            }
        }

        private mutating func word() throws(Failure) -> Value {
            var word = ""
            while let scalar = next, isBare(scalar) || scalar == "+" || scalar == "." || scalar == ":" {
                word.unicodeScalars.append(scalar)
                place += 1
            }
            switch word {
            case "true": return .truth(true)
            case "false": return .truth(false)
            default:
                let digits = word.hasPrefix("+") || word.hasPrefix("-") ? word.dropFirst() : word[...]
                let parts = digits.split(separator: "_", omittingEmptySubsequences: false)
                let isWhole = parts.allSatisfy { !$0.isEmpty && $0.allSatisfy { ("0"..."9").contains($0) } }
                guard isWhole, digits == "0" || digits.first != "0",
                    let number = Int64(word.filter { $0 != "_" })
                else { throw failure("not a string, whole number, true, false or list") }
                return .number(number)
            }
        }

        private mutating func list() throws(Failure) -> [Value] {
            _ = take("[")
            var values: [Value] = []
            while true {
                guard try skipToContent() else { throw failure("a list does not end") }
                if take("]") { return values }
                guard next != "[" else { throw failure("a list within a list") }
                values.append(try value())
                guard try skipToContent() else { throw failure("a list does not end") }
                if take("]") { return values }
                guard take(",") else { throw failure("a comma is missing in a list") }
            }
        }

        private mutating func literalString() throws(Failure) -> String {
            _ = take("'")
            var text = ""
            while let scalar = next, scalar != "'" {
                text.unicodeScalars.append(try character(scalar))
                place += 1
            }
            guard take("'") else { throw failure("a string does not end") }
            return text
        }

        private mutating func basicString() throws(Failure) -> String {
            _ = take("\"")
            var text = ""
            while let scalar = next, scalar != "\"" {
                _ = try character(scalar)
                place += 1
                text.unicodeScalars.append(scalar == "\\" ? try escape() : scalar)
            }
            guard take("\"") else { throw failure("a string does not end") }
            return text
        }

        private func character(_ scalar: Unicode.Scalar) throws(Failure) -> Unicode.Scalar {
            guard scalar.value >= 0x20 && scalar.value != 0x7F || scalar == "\t" else {
                throw failure("a string must end on its line and contain no control character")
            }
            return scalar
        }

        private mutating func escape() throws(Failure) -> Unicode.Scalar {
            guard let letter = next else { throw failure("a string does not end") }
            place += 1
            switch letter {
            case "b": return "\u{8}"
            case "t": return "\t"
            case "n": return "\n"
            case "f": return "\u{C}"
            case "r": return "\r"
            case "\"", "\\": return letter
            case "u", "U":
                let count = letter == "u" ? 4 : 8
                guard place + count <= text.count else { throw failure("a string does not end") }
                let digits = String(String.UnicodeScalarView(text[place..<place + count]))
                guard digits.allSatisfy(\.isHexDigit), let number = UInt32(digits, radix: 16),
                    let scalar = Unicode.Scalar(number)
                else { throw failure("\\\(letter)\(digits) is not a character") }
                place += count
                return scalar
            default: throw failure("\\\(letter) is not an escape")
            }
        }
    }
}
