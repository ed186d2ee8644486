/// The bytes behind a text form, read at any position. What is read is checked; lines that are not read are not.
struct ArmoredSource: ByteSource {
    private let text: any ByteSource
    /// The position of the first line of base64.
    private let start: UInt64
    /// What ends a line: the same throughout.
    private let lineEnd: [UInt8]
    /// The length of a full line with its end.
    private let lineLength: UInt64
    let count: UInt64

    /// How many bytes of surrounding lines and trailing space are examined at most.
    private static let margin = 4096

    /// - Throws: `malformedArmor`.
    init(_ text: any ByteSource) throws(AgeError) {
        self.text = text
        let head = try Self.bytes(of: text, at: 0, margin: Self.margin)
        guard let first = head.firstIndex(where: { !Armor.isSpace($0) }),
            head[first...].starts(with: Armor.begin),
            let end = head[first...].firstIndex(of: UInt8(ascii: "\n"))
        else { throw Armor.malformed("it does not begin as it should") }
        start = UInt64(end + 1)
        lineEnd = head[end - 1] == UInt8(ascii: "\r") ? [13, 10] : [10]
        lineLength = UInt64(Armor.columns + lineEnd.count)
        guard head[first...end].elementsEqual(Armor.begin + lineEnd) else {
            throw Armor.malformed("it does not begin as it should")
        }

        let tailStart = text.count - min(text.count, UInt64(Self.margin))
        var tail = try Self.bytes(of: text, at: tailStart, margin: Self.margin)
        while let last = tail.last, Armor.isSpace(last) { tail.removeLast() }
        guard tail.count >= Armor.end.count, tail.suffix(Armor.end.count).elementsEqual(Armor.end) else {
            throw Armor.malformed("its end is missing")
        }
        let footer = tailStart + UInt64(tail.count - Armor.end.count)
        guard footer >= start else { throw Armor.malformed("its end is missing") }
        let lines = (footer - start) / lineLength
        let rest = (footer - start) % lineLength
        var count = lines * UInt64(Armor.bytesInLine)
        if rest > 0 {
            guard rest > lineEnd.count else { throw Armor.malformed("a line is empty") }
            let place = start + lines * lineLength
            let line = try Self.bytes(of: text, at: place, margin: Int(rest))
            guard line.suffix(lineEnd.count).elementsEqual(lineEnd),
                let bytes = Base64.decode(line.dropLast(lineEnd.count), isPadded: true)
            else { throw Armor.malformed("a line is not base64") }
            count += UInt64(bytes.count)
        }
        self.count = count
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(AgeError) -> Int {
        guard offset < count, !buffer.isEmpty else { return 0 }
        let wanted = Int(min(UInt64(buffer.count), count - offset))
        var done = 0
        while done < wanted {
            let place = offset + UInt64(done)
            let number = place / UInt64(Armor.bytesInLine)
            let rest = count - number * UInt64(Armor.bytesInLine)
            let letters = rest >= UInt64(Armor.bytesInLine) ? Armor.columns : (Int(rest) + 2) / 3 * 4
            let line = try Self.bytes(
                of: text, at: start + number * lineLength, margin: letters + lineEnd.count)
            guard line.count == letters + lineEnd.count, line[letters...].elementsEqual(lineEnd),
                let bytes = Base64.decode(line[..<letters], isPadded: true)
            else { throw Armor.malformed("a line is not base64 of \(letters) letters") }
            let skipped = Int(place % UInt64(Armor.bytesInLine))
            let part = bytes.dropFirst(skipped).prefix(wanted - done)
            guard !part.isEmpty else { throw Armor.malformed("a line is too short") }
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: part)
            done += part.count
        }
        return done
    }

    private static func bytes(of source: any ByteSource, at offset: UInt64, margin: Int) throws(AgeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: margin)
        let count = try bytes.withBuffer { buffer throws(AgeError) in
            var done = 0
            while done < buffer.count {
                let got = try source.read(
                    at: offset + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
                if got == 0 { break }
                done += got
            }
            return done
        }
        return Array(bytes[..<count])
    }
}
