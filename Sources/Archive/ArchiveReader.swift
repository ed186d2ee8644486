public import Age
public import ConclaveProtocol
public import WaxwingCore

/// Opens an archive: what it says of itself first, then whatever is asked for. Memory does not grow with the archive.
public final class ArchiveReader {
    private let content: any Content
    private let index: TarIndex
    private let signed: SignedTrailer
    private let sha256 = SHA256()
    /// Bytes of the sealed archive, without the seal.
    let size: UInt64

    /// What the archive says of itself. True once ``verify(_:progress:)`` has returned.
    public var trailer: ArchiveTrailer { signed.trailer }
    /// What another archive needs to know that goes on from this one.
    public let end: ArchiveEnd

    /// - Throws: ``ArchiveError``.
    public init(_ source: any ByteSource, _ opening: AgeOpening) throws(ArchiveError) {
        let sealed: AgeReader
        do throws(AgeError) { sealed = try AgeReader(source, opening) } catch { throw ArchiveError(error) }
        size = sealed.count
        content = try Self.content(of: sealed)
        index = try TarIndex(content)
        let place = index[.trailer]
        guard place.size <= TarIndex.smallMax else {
            throw ArchiveError(.damaged, "the archive's trailer is too large")
        }
        signed = try SignedTrailer(try content.bytes(at: place.offset, Int(place.size)))
        end = try signed.trailer.end(id: signed.id)
    }

    private static func content(of sealed: AgeReader) throws(ArchiveError) -> any Content {
        do throws(ArchiveError) {
            let table = try SeekTable(count: sealed.count) { offset, count throws(ArchiveError) in
                try sealed.bytes(at: offset, count)
            }
            return FramedContent(sealed, table)
        } catch {
            if error.code == .notAnArchive { return StreamedContent(sealed) }
            throw error
        }
    }

    /// The people in it, in the order of their ids.
    public func members() throws(ArchiveError) -> [ArchiveUser] {
        let place = index[.members]
        guard place.size <= TarIndex.smallMax else { throw ArchiveError(.damaged, "members.jsonl is too large") }
        var users: [ArchiveUser] = []
        for line in try content.bytes(at: place.offset, Int(place.size)).split(separator: UInt8(ascii: "\n")) {
            users.append(try MemberLine.parse(Array(line)))
        }
        return users
    }

    /// `manifest.json` as it stands there.
    public func manifestText() throws(ArchiveError) -> [UInt8] {
        let place = index[.manifest]
        guard place.size <= TarIndex.smallMax else { throw ArchiveError(.damaged, "manifest.json is too large") }
        return try content.bytes(at: place.offset, Int(place.size))
    }

    // MARK: Rows

    /// All rows, in order.
    public func rows() -> ArchiveRows { ArchiveRows(LineReader(content, index[.messages])) }

    /// Gives every row, in order.
    ///
    /// - Throws: ``ArchiveError``, and what `take` throws. Rows that were given before are true if the archive is.
    public func forEachRow(_ take: (ID, HistoryRow) throws -> Void) throws {
        var rows = rows()
        while let (group, row) = try rows.next() { try take(group, row) }
    }

    /// A hash over the lines of `messages.jsonl`, in lower-case hex: the same for the same messages, whoever's archive they are in.
    ///
    /// - Throws: ``ArchiveError`` `damaged`.
    public func messagesDigest() throws(ArchiveError) -> String {
        let blocks = trailer.blocks.filter { $0.file == ArchiveFile.messages.rawValue }
        return hexEncode(try ArchiveTrailer.root(of: blocks, sha256))
    }

    /// Rows of a group from a place on, checked against the hashes of the trailer.
    ///
    /// - Throws: ``ArchiveError``.
    public func rows(of group: ID, from first: ArchiveEnd.Last, limit: Int) throws -> [HistoryRow] {
        var rows: [HistoryRow] = []
        guard let framed = content as? FramedContent else {
            try forEachRow { id, row in
                if id == group, first <= ArchiveEnd.Last(row), rows.count < limit { rows.append(row) }
            }
            return rows
        }
        let blocks = trailer.blocks.filter { $0.file == ArchiveFile.messages.rawValue }
        let start = index[.messages].size == 0 ? 0 : framed.index(of: index[.messages].offset) ?? 0
        // The last block that begins before the place, and those behind it.
        var number =
            try blocks.lastIndex { block throws(ArchiveError) in try block.begins(beforeOrAt: group, first) } ?? 0
        while number < blocks.count, rows.count < limit {
            if try blocks[number].begins(behind: group) { break }
            let lines = try framed.content(ofFrame: start + number).split(separator: UInt8(ascii: "\n"))
            var tree = LineTree(sha256)
            for line in lines {
                try line.withBytes { line throws(ArchiveError) in try tree.add(line) }
                let (id, row) = try line.withBytes { line throws(ArchiveError) in try RowParser.parse(line) }
                if id == group, first <= ArchiveEnd.Last(row), rows.count < limit { rows.append(row) }
            }
            guard hexEncode(try tree.root()) == blocks[number].root else {
                throw ArchiveError(.damaged, "messages in the archive do not belong to its trailer")
            }
            number += 1
        }
        return rows
    }

    // MARK: Checking

    /// Reads all of it once, and checks every hash, every count, the order, and the signature.
    ///
    /// - Parameter progress: how many bytes of the content were gone through, and how many there are.
    /// - Throws: ``ArchiveError`` `damaged` where anything does not fit.
    public func verify(
        _ verifySignature: (_ suite: UInt16, _ publicKey: [UInt8], _ message: [UInt8], _ signature: [UInt8]) throws ->
            Bool,
        progress: (_ done: UInt64, _ all: UInt64) -> Void = { _, _ in }
    ) throws -> ArchiveReport {
        guard let key = hexDecode(Array(signed.signature.publicKey.utf8)),
            let signature = hexDecode(Array(signed.signature.signature.utf8)),
            try verifySignature(signed.signature.suite, key, signed.message, signature)
        else { throw ArchiveError(.damaged, "the archive's signature does not fit what it says of itself") }
        guard hexEncode(try ArchiveTrailer.root(of: trailer.blocks, sha256)) == trailer.root else {
            throw ArchiveError(.damaged, "the hashes in the trailer do not fit each other")
        }
        let all = ArchiveFile.allCases.reduce(0) { $0 + index[$1].size }
        var done: UInt64 = 0
        func advance(_ count: Int) {
            done += UInt64(count)
            progress(done, all)
        }
        for file in [ArchiveFile.readme, .manifest] { try check(file, advance) }
        let members = try checkLines(.members, advance) { line throws(ArchiveError) in
            _ = try MemberLine.parse(Array(line))
        }
        var check = try OrderCheck(trailer)
        let messages = try checkLines(.messages, advance) { line throws(ArchiveError) in
            let (group, row) = try RowParser.parse(line)
            try check.take(row, of: group)
        }
        guard members + messages == trailer.blocks.count else {
            throw ArchiveError(.damaged, "lines of the archive are missing")
        }
        try check.finish()
        for file in [ArchiveFile.markdown, .html] { try self.check(file, advance) }
        return ArchiveReport(
            end: end, rows: trailer.rows, suite: signed.signature.suite, fingerprint: hexEncode(SHA256.of(key)))
    }

    private func check(_ file: ArchiveFile, _ advance: (Int) -> Void) throws(ArchiveError) {
        let place = index[file]
        try sha256.begin()
        var offset: UInt64 = 0
        while offset < place.size {
            let bytes = try content.bytes(at: place.offset + offset, Int(min(UInt64(1 << 18), place.size - offset)))
            try bytes.withBytes { bytes throws(ArchiveError) in try sha256.update(bytes) }
            offset += UInt64(bytes.count)
            advance(bytes.count)
        }
        guard hexEncode(try sha256.end()) == trailer.files[file.rawValue] else {
            throw ArchiveError(.damaged, "\(file.rawValue) is not the one that was archived")
        }
    }

    /// - Returns: how many blocks the lines filled.
    private func checkLines(
        _ file: ArchiveFile, _ advance: (Int) -> Void, _ take: (UnsafeRawBufferPointer) throws(ArchiveError) -> Void
    ) throws(ArchiveError) -> Int {
        let blocks = trailer.blocks.filter { $0.file == file.rawValue }
        var reader = LineReader(content, index[file])
        for block in blocks {
            var tree = LineTree(sha256)
            for _ in 0..<block.lines {
                guard let line = try reader.next() else {
                    throw ArchiveError(.damaged, "lines of \(file.rawValue) are missing")
                }
                try line.withBytes { line throws(ArchiveError) in
                    try tree.add(line)
                    try take(line)
                }
                advance(line.count + 1)
            }
            guard hexEncode(try tree.root()) == block.root else {
                throw ArchiveError(.damaged, "lines of \(file.rawValue) are not those that were archived")
            }
        }
        guard try reader.next() == nil else { throw ArchiveError(.damaged, "\(file.rawValue) has lines too many") }
        return blocks.count
    }
}

/// The rows of an archive, one after the other.
public struct ArchiveRows {
    private var lines: LineReader
    private var ahead: (group: ID, row: HistoryRow)?

    init(_ lines: LineReader) { self.lines = lines }

    /// The next row and its group; nil at the end.
    ///
    /// - Throws: ``ArchiveError``.
    public mutating func next() throws(ArchiveError) -> (group: ID, row: HistoryRow)? {
        if let row = ahead.take() { return row }
        guard let line = try lines.next() else { return nil }
        return try line.withBytes { line throws(ArchiveError) in try RowParser.parse(line) }
    }

    /// The next rows of one group, at most so many; nil at the end.
    ///
    /// - Throws: ``ArchiveError``.
    public mutating func next(limit: Int) throws(ArchiveError) -> (group: ID, rows: [HistoryRow])? {
        guard let (group, first) = try next() else { return nil }
        var rows = [first]
        while rows.count < limit, let (other, row) = try next() {
            if other != group {
                ahead = (other, row)
                break
            }
            rows.append(row)
        }
        return (group, rows)
    }
}

/// What checking an archive has shown.
public struct ArchiveReport: Hashable, Sendable {
    public var end: ArchiveEnd
    public var rows: UInt64
    /// Whose signature it is: the suite's number, and the lower-case hex SHA-256 of the key.
    public var suite: UInt16
    public var fingerprint: String
}

extension TarIndex {
    /// Every file is there.
    subscript(_ file: ArchiveFile) -> Place { places[file] ?? Place(offset: 0, size: 0) }
}

extension ArchiveEnd.Last: Comparable {
    init(_ row: HistoryRow) { self.init(era: row.era, sequence: row.sequence ?? 0) }

    public static func < (a: ArchiveEnd.Last, b: ArchiveEnd.Last) -> Bool {
        (a.era, a.sequence) < (b.era, b.sequence)
    }
}

extension ArchiveTrailer.Block {
    private var place: (ID, ArchiveEnd.Last)? {
        get throws(ArchiveError) {
            guard let group, let era, let sequence, let id = ID(text: group) else {
                throw ArchiveError(.damaged, "the trailer does not say where a block begins")
            }
            return (id, ArchiveEnd.Last(era: era, sequence: sequence))
        }
    }

    fileprivate func begins(beforeOrAt group: ID, _ last: ArchiveEnd.Last) throws(ArchiveError) -> Bool {
        try place.map { $0.0 < group || ($0.0 == group && $0.1 <= last) } ?? false
    }

    fileprivate func begins(behind group: ID) throws(ArchiveError) -> Bool { try place.map { group < $0.0 } ?? false }
}

/// Holds the rows of an archive to what its trailer says of them.
private struct OrderCheck {
    private let expected: [ArchiveTrailer.Group]
    private let starts: [ID: ArchiveEnd.Last]
    private let ends: [ID: ArchiveEnd.Last]
    private var tally: GroupTally?
    private var seen: [ID: ArchiveEnd.Last]
    private var done = 0

    init(_ trailer: ArchiveTrailer) throws(ArchiveError) {
        expected = trailer.groups
        starts = try ArchiveTrailer.places(trailer.starts)
        ends = try ArchiveTrailer.places(trailer.ends)
        seen = starts
    }

    mutating func take(_ row: HistoryRow, of group: ID) throws(ArchiveError) {
        if tally?.group.id != group {
            try close()
            guard done < expected.count, expected[done].id == group.description else { throw Self.unfit }
            tally = GroupTally(
                ArchiveGroup(
                    id: group, name: expected[done].name, alias: expected[done].alias,
                    joinedEpoch: expected[done].joinedEpoch),
                after: starts[group])
        }
        do throws(ArchiveError) { try tally?.add(row, row.sequence ?? 0) } catch {
            throw ArchiveError(.damaged, error.reason)
        }
    }

    mutating func finish() throws(ArchiveError) {
        try close()
        guard done == expected.count, seen == ends else { throw Self.unfit }
    }

    private mutating func close() throws(ArchiveError) {
        guard let tally else { return }
        guard tally.summary == expected[done] else { throw Self.unfit }
        seen[tally.group.id] = tally.last
        done += 1
        self.tally = nil
    }

    private static var unfit: ArchiveError {
        ArchiveError(.damaged, "the messages in the archive are not those its trailer tells of")
    }
}
