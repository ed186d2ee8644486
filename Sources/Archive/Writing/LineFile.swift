import Dispatch
import Synchronization

/// One of the archive's long files while it is written: lines go in, compressed frames go to the spool.
///
/// Compression works beside whoever makes the lines, one frame behind.
final class LineFile {
    /// What was written so far.
    private(set) var contentSize: UInt64 = 0
    /// The sizes of the frames, compressed and not, once ``finish()`` has returned.
    var frames: [(size: Int, contentSize: Int)] { progress.results.withLock { $0.frames } }

    /// Bytes of the frames so far.
    var compressedSize: UInt64 { progress.results.withLock { $0.frames.reduce(0) { $0 + UInt64($1.size) } } }

    private struct Results {
        var frames: [(size: Int, contentSize: Int)] = []
        var error: ArchiveError?
    }

    /// What the queue has done so far.
    private final class Progress: Sendable {
        let results = Mutex(Results())
    }

    private var text = TextBuffer()
    private let spool: Spool
    private let compressor = Zstd.Compressor()
    private let queue: DispatchQueue
    /// Frames that may wait to be compressed.
    private let room = DispatchSemaphore(value: 1)
    private let progress = Progress()

    init(_ name: String, _ spool: Spool) {
        self.spool = spool
        queue = DispatchQueue(label: name)
        text.reserve(Zstd.frameSize + (64 << 10))
    }

    /// Adds what `write` puts into the buffer: one or more whole lines.
    ///
    /// - Returns: whether a frame was closed behind it.
    func add(_ write: (inout TextBuffer) throws(ArchiveError) -> Void) throws(ArchiveError) -> Bool {
        try write(&text)
        guard text.count >= Zstd.frameSize else { return false }
        try close()
        return true
    }

    /// Closes the frame that is open, and waits until all are compressed.
    ///
    /// - Returns: whether there was an open one.
    @discardableResult func finish() throws(ArchiveError) -> Bool {
        let isOpen = !text.isEmpty
        if isOpen { try close() }
        queue.sync {}
        if let error = progress.results.withLock({ $0.error }) { throw error }
        return isOpen
    }

    func drain(_ put: (UnsafeRawBufferPointer) throws -> Void) throws { try spool.drain(put) }

    private func close() throws(ArchiveError) {
        if let error = progress.results.withLock({ $0.error }) { throw error }
        contentSize += UInt64(text.count)
        let content = text.bytes
        text = TextBuffer()
        text.reserve(Zstd.frameSize + (64 << 10))
        room.wait()
        let work = Work(content: content, compressor: compressor, spool: spool)
        queue.async { [progress, room] in
            defer { room.signal() }
            progress.results.withLock { results in
                if results.error != nil { return }
                do throws(ArchiveError) {
                    let size = try work.run()
                    results.frames.append((size, work.content.count))
                } catch {
                    results.error = error
                }
            }
        }
    }

    /// `@unchecked Sendable`: the compressor and the spool are used on the queue alone until ``LineFile/finish()`` has returned.
    private struct Work: @unchecked Sendable {
        let content: [UInt8]
        let compressor: Zstd.Compressor
        let spool: Spool

        func run() throws(ArchiveError) -> Int {
            let frame = try compressor.frame(content)
            try spool.append(frame)
            return frame.count
        }
    }
}
