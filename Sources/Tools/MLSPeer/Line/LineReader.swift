/// Cuts a stream of bytes into lines, and lets no line grow beyond a limit.
public struct LineReader {
    /// One line, without its end; or a line longer than the limit, of which nothing is kept.
    public enum Line: Hashable, Sendable {
        case text([UInt8])
        case tooLong
    }

    private let lengthMax: Int
    private let read: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    /// Where in the buffer the unread part begins, and up to where it has been searched for a line end in vain.
    private var start = 0
    private var scanned = 0
    private var isSkipping = false

    /// - Parameters:
    ///   - lengthMax: in bytes, without the line's end.
    ///   - read: the next bytes, as many as there are; none at the end of the stream.
    public init(lengthMax: Int, read: @escaping () throws -> [UInt8]) {
        self.lengthMax = lengthMax
        self.read = read
    }

    /// The next line; nil at the end. What comes after the last line end is a line, too, unless it is empty.
    public mutating func next() throws -> Line? {
        while true {
            if let end = lineEnd { return line(to: end) }
            if start > 0 {
                buffer.removeSubrange(..<start)
                start = 0
            }
            if isSkipping || buffer.count > lengthMax {
                isSkipping = true
                buffer.removeAll()
            }
            scanned = buffer.count
            let more = try read()
            if more.isEmpty { return lastLine() }
            buffer += more
        }
    }

    /// Where the next line ends; nil if that has not been read yet.
    private var lineEnd: Int? {
        buffer.withUnsafeBytes { buffer in
            var place = scanned
            while place < buffer.count {
                if buffer[place] == UInt8(ascii: "\n") { return place }
                place += 1
            }
            return nil
        }
    }

    private mutating func line(to end: Int) -> Line {
        let text = buffer[start..<end]
        start = end + 1
        scanned = start
        if isSkipping || text.count > lengthMax {
            isSkipping = false
            return .tooLong
        }
        return .text(Array(text))
    }

    private mutating func lastLine() -> Line? {
        if isSkipping {
            isSkipping = false
            return .tooLong
        }
        if buffer.isEmpty { return nil }
        defer {
            buffer.removeAll()
            scanned = 0
        }
        return .text(buffer)
    }
}
