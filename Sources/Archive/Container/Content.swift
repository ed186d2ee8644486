import Age
import CZstd

/// The tar archive behind age and zstd, read at any place; best in order.
protocol Content: AnyObject {
    /// Reads bytes from a place on: as many as `buffer` takes, fewer only at the end.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int
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
    /// Exactly so many bytes.
    func bytes(at offset: UInt64, _ count: Int) throws(ArchiveError) -> [UInt8] {
        var failure: AgeError?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, done in
            done = 0
            do throws(AgeError) {
                while done < count {
                    let rest = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[done...])
                    let got = try read(at: offset + UInt64(done), into: rest)
                    if got == 0 { break }
                    done += got
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw ArchiveError(failure) }
        guard bytes.count == count else { throw ArchiveError(.truncated, "the archive ends too early") }
        return bytes
    }
}

/// An archive as this program writes it: with a table of its frames.
final class FramedContent: Content {
    let table: SeekTable
    private let sealed: AgeReader
    private let decompressor = Zstd.Decompressor()
    private var number: Int?
    private var frame: [UInt8] = []

    init(_ sealed: AgeReader, _ table: SeekTable) {
        self.sealed = sealed
        self.table = table
    }

    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(ArchiveError) -> Int {
        var done = 0
        while done < buffer.count {
            let place = offset + UInt64(done)
            guard let number = index(of: place) else { break }
            try load(number)
            let skipped = Int(place - table.frames[number].contentOffset)
            let count = min(frame.count - skipped, buffer.count - done)
            UnsafeMutableRawBufferPointer(rebasing: buffer[done...]).copyBytes(from: frame[skipped..<(skipped + count)])
            done += count
        }
        return done
    }

    /// The content of one frame.
    func content(ofFrame number: Int) throws(ArchiveError) -> [UInt8] {
        try load(number)
        return frame
    }

    /// The frame that holds a place; nil behind the last one.
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

    private func load(_ number: Int) throws(ArchiveError) {
        if self.number == number { return }
        let place = table.frames[number]
        guard place.contentSize <= Zstd.frameSizeMax, place.size <= ZSTD_compressBound(Zstd.frameSizeMax) else {
            throw Zstd.damaged
        }
        self.number = nil
        let bytes = try sealed.bytes(at: place.offset, place.size)
        frame = try bytes.withBytes { bytes throws(ArchiveError) in
            try decompressor.content(bytes, size: place.contentSize)
        }
        self.number = number
    }
}

/// An archive that was put together by other tools: it can only be gone through from the beginning.
final class StreamedContent: Content {
    private let sealed: AgeReader
    private var context: OpaquePointer?
    private var input: [UInt8] = []
    private var inputPlace = 0
    private var sealedPlace: UInt64 = 0
    /// Where in the content the next byte stands.
    private var place: UInt64 = 0
    /// Whether zstd stands between two frames.
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

    private func restart() throws(ArchiveError) {
        ZSTD_freeDCtx(context)
        context = ZSTD_createDCtx()
        // Whoever sets a larger window than any usual level does wants memory, not compression.
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
            if ZSTD_isError(result) != 0 { throw Zstd.damaged }
            isBetweenFrames = result == 0
            if out.pos > 0 {
                place += UInt64(out.pos)
                return out.pos
            }
            if isAtEnd, result != 0 { throw ArchiveError(.truncated, "a compressed part of the archive is cut off") }
        }
    }
}
