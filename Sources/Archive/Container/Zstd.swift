import CZstd

/// Frames of zstd, each compressed by itself, with its length and a checksum in it.
enum Zstd {
    /// The compression levels. Most of messages.jsonl is random digits: on those, level 3 takes twice as long as level
    /// 1, makes the file larger, and slows down opening. In the transcripts, which are mostly words, it is worth it.
    static let level: Int32 = 3
    static let levelOfMessages: Int32 = 1
    /// The size in bytes at which a frame of lines is closed after a line.
    static let frameSize = 1 << 20
    /// No frame holds more: one that is not closed yet, and the longest line.
    static let frameSizeMax = frameSize + LineReader.lineMax

    /// Compresses frames, with one context and one buffer that are reused.
    ///
    /// `@unchecked Sendable`: threads that share it use it one at a time.
    final class Compressor: @unchecked Sendable {
        private let context = ZSTD_createCCtx()
        private var room: UnsafeMutableRawBufferPointer = .allocate(byteCount: 0, alignment: 16)

        init(level: Int32 = Zstd.level) {
            ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, level)
            ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
            ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 1)
        }

        deinit {
            ZSTD_freeCCtx(context)
            room.deallocate()
        }

        /// - Returns: the frame, valid until the next one.
        func frame(_ content: UnsafeRawBufferPointer) throws(ArchiveError) -> UnsafeRawBufferPointer {
            let bound = ZSTD_compressBound(content.count)
            if room.count < bound {
                room.deallocate()
                room = .allocate(byteCount: bound, alignment: 16)
            }
            let size = ZSTD_compress2(context, room.baseAddress, room.count, content.baseAddress, content.count)
            if ZSTD_isError(size) != 0 { throw ArchiveError(.failed, "zstd has no memory") }
            return UnsafeRawBufferPointer(rebasing: room[..<size])
        }
    }

    /// Decompresses frames, with one context that is reused.
    final class Decompressor {
        private let context = ZSTD_createDCtx()

        init() {
            // A larger window is an attack on memory.
            ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 24)
        }

        deinit { ZSTD_freeDCtx(context) }

        /// - Parameter content: receives what the frame holds, which must fill it.
        func open(_ frame: UnsafeRawBufferPointer, into content: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
            let said = ZSTD_getFrameContentSize(frame.baseAddress, frame.count)
            guard said == UInt64(content.count) else { throw Zstd.damaged }
            let got = ZSTD_decompressDCtx(
                context, content.baseAddress, content.count, frame.baseAddress, frame.count)
            guard ZSTD_isError(got) == 0, got == content.count else { throw Zstd.damaged }
        }
    }

    static var damaged: ArchiveError { ArchiveError(.damaged, "a compressed part of the archive is damaged") }
}

/// The positions of an archive's frames, in the zstd seekable format: a skippable frame at the very end, which plain
/// zstd skips.
struct SeekTable {
    struct Frame: Hashable {
        /// The size of the frame in the compressed stream, and of its content in the archive.
        var offset: UInt64
        var contentOffset: UInt64
        var size: Int
        var contentSize: Int
    }

    private static let skippable: UInt32 = 0x184D_2A5E
    private static let magic: UInt32 = 0x8F92_EAB1
    private static let entry = 8
    private static let footer = 9
    /// The largest number of frames that we read: a terabyte of lines.
    private static let framesMax = 1 << 20

    private(set) var frames: [Frame] = []

    init() {}

    mutating func add(size: Int, contentSize: Int) {
        let last = frames.last
        frames.append(
            Frame(
                offset: last.map { $0.offset + UInt64($0.size) } ?? 0,
                contentOffset: last.map { $0.contentOffset + UInt64($0.contentSize) } ?? 0,
                size: size, contentSize: contentSize))
    }

    var encoded: [UInt8] {
        var bytes = Self.little(Self.skippable) + Self.little(UInt32(frames.count * Self.entry + Self.footer))
        for frame in frames { bytes += Self.little(UInt32(frame.size)) + Self.little(UInt32(frame.contentSize)) }
        return bytes + Self.little(UInt32(frames.count)) + [0] + Self.little(Self.magic)
    }

    /// Reads the table at the end of a stream.
    ///
    /// - Throws: `notAnArchive` if there is none, `damaged` if it does not match the stream.
    init(count: UInt64, read: (UInt64, Int) throws(ArchiveError) -> [UInt8]) throws(ArchiveError) {
        guard count >= UInt64(8 + Self.footer) else { throw Self.missing }
        let footer = try read(count - UInt64(Self.footer), Self.footer)
        let number = Int(Self.number(footer[0...]))
        guard Self.number(footer[5...]) == Self.magic, footer[4] == 0, number <= Self.framesMax else {
            throw Self.missing
        }
        let length = number * Self.entry + Self.footer
        guard count >= UInt64(length + 8) else { throw Self.missing }
        let start = count - UInt64(length + 8)
        let table = try read(start, length + 8)
        guard Self.number(table[0...]) == Self.skippable, Self.number(table[4...]) == UInt32(length) else {
            throw Self.missing
        }
        for index in 0..<number {
            let place = 8 + index * Self.entry
            // What we ignore, other tools might read.
            guard Self.number(table[place...]) > 0, Self.number(table[(place + 4)...]) > 0 else { throw Zstd.damaged }
            add(size: Int(Self.number(table[place...])), contentSize: Int(Self.number(table[(place + 4)...])))
        }
        guard (frames.last.map { $0.offset + UInt64($0.size) } ?? 0) == start else { throw Zstd.damaged }
    }

    private static var missing: ArchiveError {
        ArchiveError(.notAnArchive, "this is no archive of Waxwing: the table at its end is missing")
    }

    private static func little(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> UInt32(8 * $0)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        bytes.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
}
