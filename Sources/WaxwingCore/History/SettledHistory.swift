public import ConclaveProtocol
import MLS

/// Goes through the part of a group's history that has come to rest, as it is at the beginning.
///
/// New rows come only after that part: all of the log up to there was fetched and applied. What was sent from here and
/// got its number belongs to it if no number before it is missing. A row in it changes in one way only: one that could
/// not be opened is opened later, or given up for good; it is read as it is found. Nothing is blocked or locked
/// meanwhile, and memory does not grow with the history.
public struct SettledHistory: Sendable {
    /// Bytes and rows after which a page ends. A single row may be longer.
    private static let pageBytes = 256 << 10
    private static let pageRows = 500

    /// The group's record at the beginning.
    public let group: GroupRecord
    /// Rows that are after the end, or wait in the outbox.
    public let waiting: Int
    private let store: any Store
    private var place: [UInt8]
    private let end: [UInt8]

    /// - Parameters:
    ///   - group: the id that the group has in this profile.
    ///   - after: rows up to and including this one are left out.
    /// - Throws: ``StoreError``; ``CoreError`` `unknownGroup`.
    public init(_ reader: AccountReader, _ group: ID, after: (era: UInt32, sequence: UInt64)? = nil) throws {
        store = reader.store
        // Read the record first: whatever is applied afterwards is then past the end.
        guard let record = try reader.group(group) else { throw CoreError.unknownGroup }
        self.group = record
        let draft = reader.draft
        end = try Self.end(of: record, draft)
        waiting = try Self.count(store, from: end, group)
        place = after.map { Keys.history(group, era: $0.era, sequence: $0.sequence) + [0] } ?? group.bytes
    }

    /// The next rows in order; nil at the end.
    ///
    /// - Throws: ``StoreError``.
    public mutating func next() throws(StoreError) -> HistoryPage? {
        guard place.lexicographicallyPrecedes(end) else { return nil }
        var rows = StoredRows()
        var last: [UInt8] = []
        try store.forEach(.history, from: place, below: end) { key, value in
            last.replaceSubrange(last.indices, with: key)
            rows.append(value)
            return rows.memory.count < Self.pageBytes && rows.ends.count < Self.pageRows
        }
        guard !rows.ends.isEmpty else {
            place = end
            return nil
        }
        place = last + [0]
        return try HistoryPage(rows)
    }

    /// The key after the last row that is at rest.
    private static func end(of record: GroupRecord, _ draft: Draft) throws(StoreError) -> [UInt8] {
        let behindLog = Array(Keys.pendingHistory(record.id, order: 0).prefix(20))
        switch record.status {
        // Nothing is being fetched.
        case .keyless, .removed, .left, .deleted, .imported: return behindLog
        case .active, .creating: break
        }
        if let first = try draft.page(.inbox, prefix: Keys.inbox(record.id), limit: 1).first {
            return Keys.history(ofInbox: first.key)
        }
        var last = record.cursor
        while last < UInt64.max {
            let next = Keys.history(record.id, era: record.era, sequence: last + 1)
            guard try draft.value(.history, next) != nil else { break }
            last += 1
        }
        return Keys.history(record.id, era: record.era, sequence: last) + [0]
    }

    private static func count(_ store: any Store, from lower: [UInt8], _ group: ID) throws(StoreError) -> Int {
        var count = 0
        try store.forEach(.history, from: lower, below: Record.key(afterPrefix: group.bytes)) { _, _ in
            count += 1
            return true
        }
        return count
    }
}
