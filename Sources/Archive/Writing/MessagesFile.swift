import ConclaveProtocol

/// `messages.jsonl` while it is written: makes lines of rows, hashes them, and closes a block with each frame.
///
/// `@unchecked Sendable`: only the worker uses it until ``finish()`` has returned.
final class MessagesFile: @unchecked Sendable {
    let file: LineFile
    private(set) var blocks: [ArchiveTrailer.Block] = []
    private let worker = Worker("lines of messages", backlog: RowBatch.backlog)
    private let tree = LineTree()
    private var head: (group: ID, text: [UInt8])?
    private var blockStart: (group: ID, era: UInt32, sequence: UInt64)?

    init(_ spool: Spool) {
        file = LineFile(ArchiveFile.messages.rawValue, level: Zstd.levelOfMessages, spool)
    }

    func add(_ batch: RowBatch) throws(ArchiveError) {
        try worker.run { [self] () throws(ArchiveError) in try write(batch) }
    }

    /// Waits until all is compressed.
    func finish() throws(ArchiveError) {
        try worker.finish()
        if try file.finish() { try closeBlock() }
    }

    /// Drops what waits. After this the file cannot be used.
    func stop() {
        worker.stop()
        file.stop()
    }

    private func write(_ batch: RowBatch) throws(ArchiveError) {
        let head = headOfLines(batch.group.id)
        try batch.forEach { row, lent throws(ArchiveError) in
            if blockStart == nil { blockStart = (batch.group.id, row.stored.era, row.sequence) }
            let isClosed = try file.add { text throws(ArchiveError) in
                let start = text.count
                RowLine.write(row, lent, head: head, to: &text)
                guard text.count - start <= LineReader.lineMax else {
                    throw ArchiveError(.invalidInput, "the line with number \(row.sequence) is too long for an archive")
                }
                tree.add(UnsafeRawBufferPointer(rebasing: text.contents[start...]))
            }
            if isClosed { try closeBlock() }
        }
    }

    private func headOfLines(_ group: ID) -> [UInt8] {
        if let head, head.group == group { return head.text }
        let text = RowLine.head(of: group)
        head = (group, text)
        return text
    }

    private func closeBlock() throws(ArchiveError) {
        blocks.append(
            ArchiveTrailer.Block(
                file: ArchiveFile.messages.rawValue, lines: tree.leaves, root: hexEncode(tree.root()),
                group: blockStart?.group.description, era: blockStart?.era, sequence: blockStart?.sequence))
        tree.clear()
        blockStart = nil
    }
}
