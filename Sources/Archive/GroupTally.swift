import OpenSSLPrimitives
import ConclaveProtocol
import WaxwingCore

/// Counts the rows of a group, and checks that they come in order.
struct GroupTally {
    let group: ArchiveGroup
    private(set) var last: ArchiveEnd.Last
    private var rows: UInt64 = 0
    private var ranges: [ArchiveTrailer.Range] = []
    private var gaps: [ArchiveTrailer.Range] = []
    private var gapCount: UInt64 = 0
    private var unreadable: [String: UInt64] = [:]
    private(set) var span: ArchiveSpan?
    /// Whether ``last`` belongs to a row, here or in the archive before.
    private var hasLast: Bool

    /// - Parameter after: the last row in the archives that this one continues.
    init(_ group: ArchiveGroup, after: ArchiveEnd.Last?) {
        self.group = group
        last = after ?? ArchiveEnd.Last(era: 0, sequence: 0)
        hasLast = after != nil
    }

    /// - Throws: `invalidInput` for a row that does not come after the last one.
    mutating func add(_ row: RowFacts) throws(ArchiveError) {
        let sequence = row.sequence
        if hasLast {
            guard (last.era, last.sequence) < (row.era, sequence) else {
                throw ArchiveError(.invalidInput, "the rows of \(group.id) are not in order at \(sequence)")
            }
            if row.era == last.era, sequence - last.sequence > 1 {
                gapCount += 1
                if gaps.count < ArchiveTrailer.gapsMax {
                    gaps.append(.init(era: row.era, first: last.sequence + 1, last: sequence - 1))
                }
            }
        }
        if let range = ranges.last, range.era == row.era {
            ranges[ranges.count - 1].last = sequence
        } else {
            ranges.append(.init(era: row.era, first: sequence, last: sequence))
        }
        if let reason = row.reason { unreadable["\(RowLine.name(of: reason))", default: 0] += 1 }
        rows += 1
        span = .including(row.time, span)
        last = ArchiveEnd.Last(era: row.era, sequence: sequence)
        hasLast = true
    }

    var rangeCount: Int { ranges.count }

    var summary: ArchiveTrailer.Group {
        ArchiveTrailer.Group(
            id: group.id.description, name: group.name, alias: group.alias, rows: rows, span: span, ranges: ranges,
            gaps: gaps, gapCount: gapCount,
            joinedEpoch: group.joinedEpoch, unreadable: unreadable)
    }
}

extension ArchiveTrailer {
    /// What an archive that continues this one needs to know.
    ///
    /// - Throws: `damaged` if an id is invalid.
    func end(id: String) throws(ArchiveError) -> ArchiveEnd {
        let last = try Self.places(ends)
        guard let account = ID(text: account), let key = hexDecode(Array(publicKey.utf8)) else {
            throw ArchiveError(.damaged, "the account's id or key is none")
        }
        return ArchiveEnd(
            id: id, account: account, signer: hexEncode(SHA256.of(key)), newest: newest, previous: previous, last: last)
    }

    static func list(_ places: [ID: ArchiveEnd.Last]) -> [End] {
        places.sorted { $0.key < $1.key }.map {
            End(group: $0.key.description, era: $0.value.era, sequence: $0.value.sequence)
        }
    }

    /// - Throws: `damaged` if an id is invalid, or occurs twice.
    static func places(_ list: [End]) throws(ArchiveError) -> [ID: ArchiveEnd.Last] {
        var places: [ID: ArchiveEnd.Last] = [:]
        for end in list {
            let last = ArchiveEnd.Last(era: end.era, sequence: end.sequence)
            guard let group = ID(text: end.group), places.updateValue(last, forKey: group) == nil else {
                throw ArchiveError(.damaged, "a group's id in the trailer is none, or stands there twice")
            }
        }
        return places
    }

    /// The root over the roots of blocks.
    static func root(of blocks: [Block]) throws(ArchiveError) -> [UInt8] {
        let tree = LineTree()
        for block in blocks {
            guard let root = hexDecode(Array(block.root.utf8)), root.count == SHA256.length else {
                throw ArchiveError(.damaged, "a hash in the trailer is none")
            }
            tree.add(leaf: root)
        }
        return tree.root()
    }
}
