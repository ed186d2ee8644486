import OpenSSLPrimitives
import Synchronization

/// One of the archive's long files while it is written: lines go in, compressed frames go to the spool.
///
/// Compression runs beside the thread that makes the lines, one or two frames behind.
///
/// `@unchecked Sendable`: only one thread at a time makes lines; only the worker uses the compressor and the spool
/// until ``finish()`` has returned.
final class LineFile: @unchecked Sendable {
    /// A frame's text.
    ///
    /// `@unchecked Sendable`: it belongs either to the thread that makes the lines, or to the worker.
    private final class Page: @unchecked Sendable {
        private static let capacity = Zstd.frameSize + (64 << 10)
        var text = TextBuffer(capacity: capacity)

        func clear() {
            // Memory taken by an unusually long line is given back.
            if text.count > 2 * Self.capacity { text = TextBuffer(capacity: Self.capacity) } else { text.clear() }
        }
    }

    /// What was written so far.
    private(set) var contentSize: UInt64 = 0
    /// The sizes of the frames, compressed and not, once ``finish()`` has returned.
    var frames: [(size: Int, contentSize: Int)] { done.withLock { $0 } }

    /// Bytes of the frames so far.
    var compressedSize: UInt64 { frames.reduce(0) { $0 + UInt64($1.size) } }

    /// The one that lines go into, and those at the compressor, in turn.
    private let pages = [Page(), Page(), Page()]
    private var current = 0
    private let spool: Spool
    private let compressor: Zstd.Compressor
    private let sha256: SHA256?
    private let worker: Worker
    private let done = Mutex<[(size: Int, contentSize: Int)]>([])

    /// - Parameter sha256: receives all of the text, a frame at a time.
    init(_ name: String, level: Int32, _ spool: Spool, sha256: SHA256? = nil) {
        self.spool = spool
        self.sha256 = sha256
        compressor = Zstd.Compressor(level: level)
        // This ensures that the next page is free again when one is handed over.
        worker = Worker(name, backlog: pages.count - 1)
    }

    /// Adds what `write` puts into the buffer: one or more whole lines.
    ///
    /// - Returns: whether a frame was closed after it.
    @inline(__always)
    func add(_ write: (inout TextBuffer) throws(ArchiveError) -> Void) throws(ArchiveError) -> Bool {
        let page = pages[current]
        try write(&page.text)
        guard page.text.count >= Zstd.frameSize else { return false }
        try close()
        return true
    }

    /// Closes the open frame, and waits until all are compressed.
    ///
    /// - Returns: whether there was an open one.
    @discardableResult func finish() throws(ArchiveError) -> Bool {
        let isOpen = !pages[current].text.isEmpty
        if isOpen { try close() }
        try worker.finish()
        return isOpen
    }

    func drain(_ put: (UnsafeRawBufferPointer) throws -> Void) throws { try spool.drain(put) }

    private func close() throws(ArchiveError) {
        let full = pages[current]
        contentSize += UInt64(full.text.count)
        try worker.run { [self] () throws(ArchiveError) in
            var rest = full.text.contents
            sha256?.update(rest)
            // In a transcript a line may be longer than a frame; in a file of lines none is.
            while !rest.isEmpty {
                let content = UnsafeRawBufferPointer(rebasing: rest.prefix(Zstd.frameSizeMax))
                rest = UnsafeRawBufferPointer(rebasing: rest[content.count...])
                let frame = try compressor.frame(content)
                try spool.append(frame)
                done.withLock { $0.append((frame.count, content.count)) }
            }
        }
        current = (current + 1) % pages.count
        pages[current].clear()
    }

    /// Drops what waits. After this the file cannot be used.
    func stop() { worker.stop() }
}
