public import Age
public import ConclaveProtocol
public import WaxwingCore

/// Opens an archive. Reads its trailer first, then whatever is asked for. Memory use does not grow with the archive.
public final class ArchiveReader {
    let content: any Content
    let index: TarIndex
    let signed: SignedTrailer

    /// The archive's trailer. It is authentic once ``verify(_:progress:)`` has returned.
    public var trailer: ArchiveTrailer { signed.trailer }
    /// What an archive that continues this one needs to know.
    public let end: ArchiveEnd

    /// - Throws: ``ArchiveError``.
    public init(_ source: any ByteSource, _ opening: AgeOpening) throws(ArchiveError) {
        let sealed: AgeReader
        do throws(AgeError) { sealed = try AgeReader(source, opening) } catch { throw ArchiveError(error) }
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

    // MARK: Rows

    /// All rows, in order.
    public func rows() -> ArchiveRows { ArchiveRows(LineReader(content, index[.messages])) }

    /// Passes on every row, in order.
    ///
    /// - Throws: ``ArchiveError``, and what `take` throws. Rows passed on before are authentic if the archive is.
    public func forEachRow(_ take: (ID, HistoryRow) throws -> Void) throws {
        var rows = rows()
        while let (group, row) = try rows.next() { try take(group, row) }
    }

    /// A hash over the lines of `messages.jsonl`, in lower-case hex: the same for the same messages, whichever
    /// account's archive they are in.
    ///
    /// - Throws: ``ArchiveError`` `damaged`.
    public func messagesDigest() throws(ArchiveError) -> String {
        let blocks = trailer.blocks(of: .messages)
        return hexEncode(try ArchiveTrailer.root(of: blocks))
    }

    /// Rows of a group from a position on, checked against the hashes of the trailer.
    ///
    /// - Throws: ``ArchiveError``.
    public func rows(of group: ID, from first: ArchiveEnd.Last, limit: Int) throws -> [HistoryRow] {
        var rows: [HistoryRow] = []
        let blocks = trailer.blocks(of: .messages)
        guard let framed = content as? FramedContent, let frames = framed.frames(of: index[.messages]),
            frames.count == blocks.count
        else {
            try forEachRow { id, row in
                if id == group, first <= ArchiveEnd.Last(row), rows.count < limit { rows.append(row) }
            }
            return rows
        }
        // The last block that begins before the position, and those after it.
        var number =
            try blocks.lastIndex { block throws(ArchiveError) in try block.begins(beforeOrAt: group, first) } ?? 0
        while number < blocks.count, rows.count < limit {
            if try blocks[number].begins(behind: group) { break }
            let tree = LineTree()
            try Lines.forEach(in: framed.content(ofFrame: frames.lowerBound + number)) { line throws(ArchiveError) in
                tree.add(line)
                let (id, row) = try RowParser.parse(line)
                if id == group, first <= ArchiveEnd.Last(row), rows.count < limit { rows.append(row) }
            }
            guard hexEncode(tree.root()) == blocks[number].root else { throw Self.unfit }
            number += 1
        }
        return rows
    }

    private static var unfit: ArchiveError {
        ArchiveError(.damaged, "messages in the archive do not belong to its trailer")
    }
}

/// The rows of an archive, one after the other.
public struct ArchiveRows {
    private var lines: LineReader

    init(_ lines: LineReader) { self.lines = lines }

    /// The next row and its group; nil at the end.
    ///
    /// - Throws: ``ArchiveError``.
    public mutating func next() throws(ArchiveError) -> (group: ID, row: HistoryRow)? {
        guard let line = try lines.next() else { return nil }
        return try line.withBytes { line throws(ArchiveError) in try RowParser.parse(line) }
    }
}

extension TarIndex {
    /// Check that every file is there.
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
