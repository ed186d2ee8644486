/// The text form of an age file: base64 in lines of 64 characters, between a first and a last line that identify it.
enum Armor {
    static let begin = Array("-----BEGIN AGE ENCRYPTED FILE-----".utf8)
    static let end = Array("-----END AGE ENCRYPTED FILE-----".utf8)
    static let columns = 64
    static let bytesInLine = 48

    static func malformed(_ words: String) -> AgeError {
        AgeError(.malformedArmor, "the file's text form cannot be read: \(words)")
    }

    static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
}

/// Makes the text form of bytes as they come.
struct ArmorWriter {
    private var waiting: [UInt8] = []
    private var hasBegun = false

    mutating func take(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        var text: [UInt8] = []
        if !hasBegun { text = Armor.begin + [UInt8(ascii: "\n")] }
        hasBegun = true
        waiting += bytes
        text.reserveCapacity(waiting.count / Armor.bytesInLine * (Armor.columns + 1) + text.count)
        var start = 0
        while waiting.count - start >= Armor.bytesInLine {
            text += Base64.encode(waiting[start..<(start + Armor.bytesInLine)])
            text.append(UInt8(ascii: "\n"))
            start += Armor.bytesInLine
        }
        waiting.removeFirst(start)
        return text
    }

    mutating func finish() -> [UInt8] {
        var text = waiting.isEmpty ? [] : Base64.encode(waiting, isPadded: true) + [UInt8(ascii: "\n")]
        text += Armor.end + [UInt8(ascii: "\n")]
        return text
    }
}

/// Reads the text form as it comes.
struct ArmorReader {
    private enum Place {
        case before, lines
        /// After a line that was not full.
        case lastLine
        case after
    }

    private var place = Place.before
    private var line: [UInt8] = []

    /// - Returns: the bytes of the lines that are complete.
    /// - Throws: `malformedArmor`.
    mutating func take(_ text: UnsafeRawBufferPointer) throws(AgeError) -> [UInt8] {
        var bytes: [UInt8] = []
        for byte in text {
            if byte == UInt8(ascii: "\n") {
                try endLine(&bytes)
            } else if place == .after || (place == .before && line.allSatisfy(Armor.isSpace) && Armor.isSpace(byte)) {
                // Any amount of space around the text form is ignored; but the first line itself must not be
                // indented.
                guard Armor.isSpace(byte) else { throw Armor.malformed("there is something behind its end") }
                if place == .before, line.isEmpty { line = [byte] }
            } else {
                line.append(byte)
                if line.count > Armor.columns + 1 { throw Armor.malformed("a line is too long") }
            }
        }
        return bytes
    }

    /// - Throws: `malformedArmor` if the last line is missing.
    mutating func finish() throws(AgeError) -> [UInt8] {
        var bytes: [UInt8] = []
        if !line.isEmpty { try endLine(&bytes) }
        if place != .after { throw Armor.malformed("its end is missing") }
        return bytes
    }

    private mutating func endLine(_ bytes: inout [UInt8]) throws(AgeError) {
        if line.last == UInt8(ascii: "\r") { line.removeLast() }
        defer { line.removeAll(keepingCapacity: true) }
        switch place {
        case .before:
            if line.allSatisfy(Armor.isSpace) { return }
            guard line == Armor.begin else { throw Armor.malformed("it does not begin as it should") }
            place = .lines
        case .lines where line == Armor.end, .lastLine where line == Armor.end: place = .after
        case .lines:
            guard !line.isEmpty, line.count <= Armor.columns, let part = Base64.decode(line, isPadded: true) else {
                throw Armor.malformed("a line is not base64 of at most \(Armor.columns) letters")
            }
            bytes += part
            if part.count < Armor.bytesInLine { place = .lastLine }
        case .lastLine: throw Armor.malformed("a line in the middle is too short")
        case .after: return
        }
    }
}
