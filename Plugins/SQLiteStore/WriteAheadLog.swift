/// Where a write-ahead log holds the newest committed content of each page (SQLite file format §4).
///
/// It finds what SQLite finds in a log after a crash: everything up to the last commit whose checksums are right.
struct WriteAheadLog {
    static let headerSize = 32
    static let frameHeaderSize = 24

    /// In bytes.
    let pageSize: Int
    /// Offsets of the pages' bytes in the file.
    private(set) var pages: [UInt32: UInt64] = [:]
    /// How many pages the database has with the content of the log; nil if nothing in it was committed.
    private(set) var pageCount: UInt32?

    /// - Parameter read: returns the bytes at an offset, fewer only at the end of the file.
    /// - Returns: nil if the log is empty, or was never completely begun.
    init?<Failure>(_ read: (_ offset: UInt64, _ count: Int) throws(Failure) -> [UInt8]) throws(Failure) {
        let header = try read(0, Self.headerSize)
        guard header.count == Self.headerSize else { return nil }
        let magic = header.word(0)
        pageSize = Int(header.word(8))
        guard magic & ~1 == 0x377f_0682, header.word(4) == 3_007_000, Self.isPageSize(pageSize) else { return nil }
        var sum = Checksum(isBigEndian: magic & 1 == 1)
        sum.add(header[..<24])
        guard sum.matches(header.word(24), header.word(28)) else { return nil }
        var found: [UInt32: UInt64] = [:]
        var offset = UInt64(Self.headerSize)
        while true {
            let frame = try read(offset, Self.frameHeaderSize + pageSize)
            guard frame.count == Self.frameHeaderSize + pageSize else { return }
            // Frames of an earlier round of the log have another salt.
            guard frame[8..<16].elementsEqual(header[16..<24]) else { return }
            sum.add(frame[..<8])
            sum.add(frame[Self.frameHeaderSize...])
            let page = frame.word(0)
            guard sum.matches(frame.word(16), frame.word(20)), page > 0 else { return }
            found[page] = offset + UInt64(Self.frameHeaderSize)
            let count = frame.word(4)
            if count > 0 {
                pages.merge(found) { $1 }
                pageCount = count
                found = [:]
            }
            offset += UInt64(frame.count)
        }
    }

    static func isPageSize(_ size: Int) -> Bool { (512...65536).contains(size) && size & (size - 1) == 0 }

    /// The running checksum over the header and all frames.
    private struct Checksum {
        let isBigEndian: Bool
        private var (first, second): (UInt32, UInt32) = (0, 0)

        init(isBigEndian: Bool) { self.isBigEndian = isBigEndian }

        /// - Parameter bytes: a multiple of 8.
        mutating func add(_ bytes: ArraySlice<UInt8>) {
            bytes.withUnsafeBytes { bytes in
                for place in stride(from: 0, to: bytes.count - 7, by: 8) {
                    first &+= word(bytes, place) &+ second
                    second &+= word(bytes, place + 4) &+ first
                }
            }
        }

        private func word(_ bytes: UnsafeRawBufferPointer, _ place: Int) -> UInt32 {
            let word = bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)
            return isBigEndian ? UInt32(bigEndian: word) : UInt32(littleEndian: word)
        }

        func matches(_ first: UInt32, _ second: UInt32) -> Bool { self.first == first && self.second == second }
    }
}

extension [UInt8] {
    /// The big-endian number at an offset.
    fileprivate func word(_ place: Int) -> UInt32 {
        self[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
}
