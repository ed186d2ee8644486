import OpenSSLPrimitives

/// A transcript while it is written: makes text of rows, which is hashed as it is compressed.
///
/// `@unchecked Sendable`: only the worker uses it until ``finish()`` has returned.
final class TranscriptFile: @unchecked Sendable {
    typealias Heading = @Sendable (ArchiveGroup, inout TextBuffer) -> Void
    typealias Line = @Sendable (RowBatch.Row, RowBatch.Lent, inout TextBuffer) -> Void

    let file: LineFile
    private let heading: Heading
    private let line: Line
    private let worker: Worker
    private let sha256 = SHA256()

    init(_ name: ArchiveFile, _ spool: Spool, heading: @escaping Heading, line: @escaping Line) throws(ArchiveError) {
        self.heading = heading
        self.line = line
        worker = Worker("lines of \(name.rawValue)", backlog: RowBatch.backlog)
        file = LineFile(name.rawValue, level: Zstd.level, spool, sha256: sha256)
        sha256.begin()
    }

    func add(_ batch: RowBatch) throws(ArchiveError) {
        try worker.run { [self] () throws(ArchiveError) in
            if batch.isFirst { try write { heading(batch.group, &$0) } }
            try batch.forEach { row, lent throws(ArchiveError) in try write { line(row, lent, &$0) } }
        }
    }

    /// Adds the text at the beginning or the end.
    func add(_ text: @escaping @Sendable (inout TextBuffer) -> Void) throws(ArchiveError) {
        try worker.run { [self] () throws(ArchiveError) in try write(text) }
    }

    /// Waits until all is compressed.
    ///
    /// - Returns: the SHA-256 of the text.
    func finish() throws(ArchiveError) -> [UInt8] {
        try worker.finish()
        try file.finish()
        return sha256.end()
    }

    /// Drops what waits. After this the file cannot be used.
    func stop() {
        worker.stop()
        file.stop()
    }

    private func write(_ body: (inout TextBuffer) -> Void) throws(ArchiveError) {
        _ = try file.add { text throws(ArchiveError) in body(&text) }
    }
}
