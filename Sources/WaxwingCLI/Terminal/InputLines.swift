/// Reads piped input line by line, so that the whole need not fit in memory.
struct InputLines {
    private let descriptor: Int32
    private let read: (_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8]
    /// The maximum number of bytes in a line.
    private let limit: Int
    /// Bytes that were read but not returned yet.
    private var pending: [UInt8] = []
    /// How much of `pending` is known to hold no line end.
    private var searched = 0
    private var isAtEnd = false

    init(
        from descriptor: Int32, limit: Int,
        by read: @escaping (_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8]
    ) {
        self.descriptor = descriptor
        self.read = read
        self.limit = limit
    }

    /// The next line without its end; nil after the last one. The last line needs no end.
    ///
    /// - Throws: ``Failure`` if reading fails, or a line is longer than the limit.
    mutating func next() throws(Failure) -> [UInt8]? {
        while true {
            if let end = pending[searched...].firstIndex(of: UInt8(ascii: "\n")) {
                var line = Array(pending[..<end])
                pending.removeFirst(end + 1)
                searched = 0
                if line.last == UInt8(ascii: "\r") { line.removeLast() }
                return try checked(line)
            }
            searched = pending.count
            if isAtEnd {
                defer { (pending, searched) = ([], 0) }
                return pending.isEmpty ? nil : try checked(pending)
            }
            // A carriage return may follow the last byte that counts.
            guard pending.count <= limit + 1 else { throw tooLong }
            try readMore()
        }
    }

    private func checked(_ line: [UInt8]) throws(Failure) -> [UInt8] {
        guard line.count <= limit else { throw tooLong }
        return line
    }

    private var tooLong: Failure { Failure(.usage, "a line is longer than \(limit) bytes") }

    private mutating func readMore() throws(Failure) {
        let bytes = try read(descriptor, 64 << 10)
        if bytes.isEmpty { isAtEnd = true }
        pending += bytes
    }
}
