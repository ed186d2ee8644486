import OpenSSLPrimitives
import ConclaveProtocol

/// The result of checking an archive.
public struct ArchiveReport: Hashable, Sendable {
    public var end: ArchiveEnd
    public var rows: UInt64
    /// The signing key: the suite's number, and the lower-case hex SHA-256 of the key.
    public var suite: UInt16
    public var fingerprint: String
}

extension ArchiveReader {
    // MARK: Checking

    /// Reads all of it once, and checks every hash, every count, the order, and the signature.
    ///
    /// - Parameter progress: called with the number of bytes of the content that were read, and their total.
    /// - Throws: ``ArchiveError`` `damaged` if anything does not match.
    public func verify(
        _ verifySignature: (_ suite: UInt16, _ publicKey: [UInt8], _ message: [UInt8], _ signature: [UInt8]) throws ->
            Bool,
        progress: (_ done: UInt64, _ all: UInt64) -> Void = { _, _ in }
    ) throws -> ArchiveReport {
        guard let signature = hexDecode(Array(signed.signature.utf8)),
            try verifySignature(trailer.suite, signed.publicKey, signed.message, signature)
        else { throw ArchiveError(.damaged, "the archive's signature does not fit what it says of itself") }
        guard hexEncode(try ArchiveTrailer.root(of: trailer.blocks)) == trailer.root else {
            throw ArchiveError(.damaged, "the hashes in the trailer do not fit each other")
        }
        let all = ArchiveFile.allCases.filter { $0 != .trailer }.reduce(0) { $0 + index[$1].size }
        var done: UInt64 = 0
        func advance(_ count: Int) {
            done += UInt64(count)
            progress(done, all)
        }
        for file in [ArchiveFile.readme, .manifest] { try check(file, advance) }
        var last: ID?
        let members = try checkLines(.members, advance) { line throws(ArchiveError) in
            let member = try MemberLine.parse(Array(line)).id
            guard last.map({ $0 < member }) ?? true else {
                throw ArchiveError(.damaged, "the people in the archive are not in order")
            }
            last = member
        }
        let messages = trailer.blocks(of: .messages)
        guard members + messages.count == trailer.blocks.count else {
            throw ArchiveError(.damaged, "lines of the archive are missing")
        }
        var order = try OrderCheck(trailer)
        if let framed = content as? FramedContent, let frames = framed.frames(of: index[.messages]),
            frames.count == messages.count
        {
            let long = LongFilesCheck(
                blocks: messages, frames: frames, transcripts: [.markdown, .html].map { ($0, index[$0]) },
                hashes: trailer.files, order)
            order = try long.run(framed, advance)
        } else {
            _ = try checkLines(.messages, advance) { line throws(ArchiveError) in try order.take(RowFacts(line)) }
            for file in [ArchiveFile.markdown, .html] { try check(file, advance) }
        }
        try order.finish()
        if let framed = content as? FramedContent {
            try framed.check(except: [.messages, .markdown, .html].compactMap { framed.frames(of: index[$0]) })
        }
        return ArchiveReport(
            end: end, rows: trailer.rows, suite: trailer.suite, fingerprint: end.signer)
    }

    private func check(_ file: ArchiveFile, _ advance: (Int) -> Void) throws(ArchiveError) {
        let sha256 = SHA256()
        sha256.begin()
        try content.forEachPiece(of: index[file]) { piece throws(ArchiveError) in
            sha256.update(piece)
            advance(piece.count)
        }
        guard hexEncode(sha256.end()) == trailer.files[file.rawValue] else { throw ArchiveTrailer.unfit(file) }
    }

    /// - Returns: how many blocks the lines filled.
    private func checkLines(
        _ file: ArchiveFile, _ advance: (Int) -> Void, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> Int {
        let blocks = trailer.blocks(of: file)
        let tree = LineTree()
        var reader = LineReader(content, index[file])
        for block in blocks {
            tree.clear()
            for _ in 0..<block.lines {
                guard let line = try reader.next() else {
                    throw ArchiveError(.damaged, "lines of \(file.rawValue) are missing")
                }
                try line.withBytes { line throws(ArchiveError) in
                    tree.add(line)
                    try take(line)
                }
                advance(line.count)
            }
            guard hexEncode(tree.root()) == block.root else { throw ArchiveTrailer.unfit(file) }
        }
        guard try reader.next() == nil else { throw ArchiveError(.damaged, "\(file.rawValue) has lines too many") }
        return blocks.count
    }
}

extension ArchiveTrailer {
    func blocks(of file: ArchiveFile) -> [Block] { blocks.filter { $0.file == file.rawValue } }

    static func unfit(_ file: ArchiveFile) -> ArchiveError {
        ArchiveError(.damaged, "\(file.rawValue) is not the one that was archived")
    }
}
