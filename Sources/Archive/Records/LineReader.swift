import func Glibc.memchr

/// Reads a file in an archive line by line.
struct LineReader {
    /// The maximum length of a line in bytes: the longest text that passes the server (1 MiB) with six bytes for each
    /// of its bytes, and what surrounds it.
    static let lineMax = 8 << 20
    private static let piece = 1 << 18

    private let content: any Content
    private let place: TarIndex.Place
    private var read: UInt64 = 0
    private var buffer: [UInt8] = []
    private var start = 0

    init(_ content: any Content, _ place: TarIndex.Place) {
        self.content = content
        self.place = place
    }

    /// The next line with its end; nil at the end of the file.
    ///
    /// - Throws: `damaged` for a line that is too long, or has no end.
    mutating func next() throws(ArchiveError) -> ArraySlice<UInt8>? {
        var scanned = start
        while true {
            if let end = Self.newline(in: buffer, from: scanned) {
                guard end - start < Self.lineMax else { throw Self.tooLong }
                defer { start = end + 1 }
                return buffer[start...end]
            }
            scanned = buffer.count - start
            guard scanned < Self.lineMax else { throw Self.tooLong }
            if read == place.size {
                guard start == buffer.count else { throw ArchiveError(.damaged, "the last line of a file has no end") }
                return nil
            }
            buffer.removeFirst(start)
            start = 0
            let more = try content.bytes(at: place.offset + read, Int(min(UInt64(Self.piece), place.size - read)))
            read += UInt64(more.count)
            buffer += more
        }
    }

    static var tooLong: ArchiveError { ArchiveError(.damaged, "a line of the archive is too long") }

    private static func newline(in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { bytes in
            guard start < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + start, 0x0A, bytes.count - start)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }
}

enum Lines {
    /// Passes on each line of a text, with its end.
    ///
    /// - Throws: `damaged` for a line that is too long, or has no end; what `take` throws.
    @inline(__always)
    static func forEach(
        in text: UnsafeRawBufferPointer, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var start = 0
        while start < text.count, let base = text.baseAddress {
            guard let found = memchr(base + start, 0x0A, text.count - start) else {
                throw ArchiveError(.damaged, "the last line of a file has no end")
            }
            let end = UnsafeRawPointer(found) - base
            guard end - start < LineReader.lineMax else { throw LineReader.tooLong }
            try take(UnsafeRawBufferPointer(rebasing: text[start...end]))
            start = end + 1
        }
    }
}
