import Age
import CZstd

/// The tar archive inside age and zstd. It can be read at any position, fastest in order.
protocol Content: AnyObject {
    /// Reads bytes from a position on: as many as `buffer` takes, fewer only at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int

    /// Passes on all of a file, piece by piece.
    func forEachPiece(
        of place: TarIndex.Place, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError)
}

extension Content {
    func bytes(at offset: UInt64, _ count: Int) throws(ArchiveError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = try bytes.withMutableBytes { buffer throws(ArchiveError) in try read(at: offset, into: buffer) }
        guard got == count else { throw ArchiveError(.truncated, "the archive ends too early") }
        return bytes
    }
}

extension AgeReader {
    /// Fills the buffer.
    func readAll(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) {
        var done = 0
        do throws(AgeError) {
            while done < buffer.count {
                let got = try read(
                    at: offset + UInt64(done), into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
                if got == 0 { break }
                done += got
            }
        } catch {
            throw ArchiveError(error)
        }
        guard done == buffer.count else { throw ArchiveError(.truncated, "the archive ends too early") }
    }

    /// Exactly this many bytes.
    func bytes(at offset: UInt64, _ count: Int) throws(ArchiveError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withMutableBytes { buffer throws(ArchiveError) in try readAll(at: offset, into: buffer) }
        return bytes
    }
}

/// An archive as this program writes it: with a table of its frames.
///
/// `@unchecked Sendable`: threads that share it use it one at a time.
final class FramedContent: Content, @unchecked Sendable {
    let table: SeekTable
    private let sealed: AgeReader
    private let decompressor = Zstd.Decompressor()
    private var number: Int?
    /// The frame that was opened last, compressed and decompressed.
    private var compressed = Room()
    private var frame = Room()

    init(_ sealed: AgeReader, _ table: SeekTable) {
        self.sealed = sealed
        self.table = table
    }

    /// The same for another thread.
    func another() throws(ArchiveError) -> FramedContent {
        do throws(AgeError) {
            return FramedContent(try sealed.another(), table)
        } catch {
            throw ArchiveError(error)
        }
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        var done = 0
        while done < buffer.count {
            let place = offset + UInt64(done)
            guard let number = index(of: place) else { break }
            let frame = try content(ofFrame: number)
            let skipped = Int(place - table.frames[number].contentOffset)
            let count = min(frame.count - skipped, buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                .copyMemory(from: UnsafeRawBufferPointer(rebasing: frame[skipped..<(skipped + count)]))
            done += count
        }
        return done
    }

    func forEachPiece(
        of place: TarIndex.Place, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var done: UInt64 = 0
        while done < place.size {
            guard let number = index(of: place.offset + done) else {
                throw ArchiveError(.truncated, "the archive ends too early")
            }
            let frame = try content(ofFrame: number)
            let skipped = Int(place.offset + done - table.frames[number].contentOffset)
            let count = Int(min(UInt64(frame.count - skipped), place.size - done))
            try take(UnsafeRawBufferPointer(rebasing: frame[skipped..<(skipped + count)]))
            done += UInt64(count)
        }
    }

    /// The frames that hold only this file; nil if there are none.
    func frames(of place: TarIndex.Place) -> Range<Int>? {
        if place.size == 0 { return 0..<0 }
        guard let first = index(of: place.offset), table.frames[first].contentOffset == place.offset,
            let last = index(of: place.offset + place.size - 1), case let end = table.frames[last],
            end.contentOffset + UInt64(end.contentSize) == place.offset + place.size
        else { return nil }
        return first..<(last + 1)
    }

    /// Opens the frames that are in none of these ranges, to check that they hold what the table says: other tools read
    /// them without it.
    func check(except known: [Range<Int>]) throws(ArchiveError) {
        for number in table.frames.indices where !known.contains(where: { $0.contains(number) }) {
            _ = try content(ofFrame: number)
        }
    }

    /// The frame that holds a position; nil after the last one.
    func index(of place: UInt64) -> Int? {
        var (low, high) = (0, table.frames.count)
        while low < high {
            let middle = (low + high) / 2
            if table.frames[middle].contentOffset <= place { low = middle + 1 } else { high = middle }
        }
        // Empty frames hold nothing.
        guard low > 0, case let frame = table.frames[low - 1], place < frame.contentOffset + UInt64(frame.contentSize)
        else { return nil }
        return low - 1
    }

    /// The content of one frame, until the next one is asked for.
    func content(ofFrame number: Int) throws(ArchiveError) -> UnsafeRawBufferPointer {
        let place = table.frames[number]
        guard place.contentSize <= Zstd.frameSizeMax, place.size <= ZSTD_compressBound(Zstd.frameSizeMax) else {
            throw Zstd.damaged
        }
        if self.number != number {
            self.number = nil
            let sealed = compressed.bytes(place.size)
            try self.sealed.readAll(at: place.offset, into: sealed)
            try decompressor.open(UnsafeRawBufferPointer(sealed), into: frame.bytes(place.contentSize))
            self.number = number
        }
        return UnsafeRawBufferPointer(frame.bytes(place.contentSize))
    }
}

/// Memory that is reused, and grows as needed.
private struct Room: ~Copyable {
    private var all = UnsafeMutableRawBufferPointer.allocate(byteCount: 0, alignment: 16)

    deinit { all.deallocate() }

    mutating func bytes(_ count: Int) -> UnsafeMutableRawBufferPointer {
        if all.count < count {
            all.deallocate()
            all = .allocate(byteCount: count, alignment: 16)
            all.initializeMemory(as: UInt8.self, repeating: 0)
        }
        return UnsafeMutableRawBufferPointer(rebasing: all[..<count])
    }
}

/// An archive put together by other tools: it can only be read from the beginning.
final class StreamedContent: Content {
    private let sealed: AgeReader
    private var context: OpaquePointer?
    private var input: [UInt8] = []
    private var inputPlace = 0
    private var sealedPlace: UInt64 = 0
    /// The position of the next byte in the content.
    private var place: UInt64 = 0
    /// Whether zstd is between two frames.
    private var isBetweenFrames = true

    private static let piece = 1 << 16

    init(_ sealed: AgeReader) { self.sealed = sealed }
    deinit { ZSTD_freeDCtx(context) }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        if context == nil || offset < place { try restart() }
        var nothing = [UInt8](repeating: 0, count: min(Self.piece, Int(clamping: offset - place)))
        while place < offset {
            let wanted = min(nothing.count, Int(clamping: offset - place))
            let got = try nothing.withMutableBytes { room throws(ArchiveError) in
                try next(into: UnsafeMutableRawBufferPointer(rebasing: room[..<wanted]))
            }
            if got == 0 { return 0 }
        }
        var done = 0
        while done < buffer.count {
            let count = try next(into: UnsafeMutableRawBufferPointer(rebasing: buffer[done...]))
            if count == 0 { break }
            done += count
        }
        return done
    }

    func forEachPiece(
        of place: TarIndex.Place, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) {
        var done: UInt64 = 0
        while done < place.size {
            let piece = try bytes(at: place.offset + done, Int(min(UInt64(1 << 18), place.size - done)))
            try piece.withBytes(take)
            done += UInt64(piece.count)
        }
    }

    private func restart() throws(ArchiveError) {
        ZSTD_freeDCtx(context)
        context = ZSTD_createDCtx()
        // No usual level sets a larger window; one that does is an attack on memory.
        ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, 25)
        input = []
        (inputPlace, sealedPlace, place) = (0, 0, 0)
        isBetweenFrames = true
    }

    private func next(into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        while true {
            if inputPlace == input.count, sealedPlace < sealed.count {
                input = try sealed.bytes(at: sealedPlace, Int(min(UInt64(Self.piece), sealed.count - sealedPlace)))
                sealedPlace += UInt64(input.count)
                inputPlace = 0
            }
            let isAtEnd = inputPlace == input.count
            if isAtEnd, isBetweenFrames { return 0 }
            var out = ZSTD_outBuffer(dst: buffer.baseAddress, size: buffer.count, pos: 0)
            let result = input.withUnsafeBytes { bytes in
                var source = ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: inputPlace)
                let result = ZSTD_decompressStream(context, &out, &source)
                inputPlace = source.pos
                return result
            }
            if ZSTD_isError(result) != 0 { throw trouble(result) }
            isBetweenFrames = result == 0
            if out.pos > 0 {
                place += UInt64(out.pos)
                return out.pos
            }
            if isAtEnd, result != 0 { throw ArchiveError(.truncated, "a compressed part of the archive is cut off") }
        }
    }

    private func trouble(_ result: Int) -> ArchiveError {
        if ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge {
            return ArchiveError(
                .unsupported, "the archive was compressed with too large a window: use zstd without --long and --ultra")
        }
        return place == 0
            ? ArchiveError(.notAnArchive, "this is no archive of Waxwing: it is not compressed with zstd")
            : Zstd.damaged
    }
}
