public import ConclaveProtocol
import MLS

/// Rows of a history as they are in the store, one after the other in a single piece of memory.
///
/// For going through a long history: what a row says is in the page's memory and the row says where, so that no row
/// takes memory of its own.
public struct HistoryPage: Sendable {
    /// What a row says.
    public enum Content: Sendable {
        /// UTF-8, well-formed.
        case text(Range<Int>)
        /// Which ones of ``HistoryPage/events``.
        case system(Range<Int>)
        case unreadable(HistoryRow.Unreadable)
    }

    /// A row; ranges are places in the page's memory. The fields are those of ``HistoryRow``.
    public struct Row: Sendable {
        public let sequence: UInt64?
        public let era: UInt32
        public let sender: ID
        public let time: UInt64
        public fileprivate(set) var content: Content
        public let hasOtherKey: Bool
        public let epoch: UInt64
        public let generation: UInt32?
        /// 16 bytes, or none.
        public let messageID: Range<Int>
        public let digest: Range<Int>
        public let outboxOrder: UInt64?
    }

    public private(set) var rows: [Row] = []
    /// Those of all rows, in order.
    public private(set) var events: [SystemEvent] = []
    private var memory: [UInt8] = []

    /// A page of these rows.
    package init(_ rows: some Sequence<HistoryRow>) throws(StoreError) {
        var stored = StoredRows()
        for row in rows { row.stored.withUnsafeBytes { stored.append($0) } }
        try self.init(stored)
    }

    /// - Throws: ``StoreError`` `corrupt`, `newerFormat`.
    init(_ stored: StoredRows) throws(StoreError) {
        memory = stored.memory
        rows.reserveCapacity(stored.ends.count)
        var reader = TLSReader(stored.memory)
        for end in stored.ends {
            var row = try HistoryRow.decode(&reader, end: end) { reader, _ throws(MLSError) in
                try Row(from: &reader, &events)
            }
            if case .text(let place) = row.content { row.content = .text(repaired(place)) }
            rows.append(row)
        }
    }

    /// Lends the memory that the rows point into.
    public func withBytes<Result, Failure: Error>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Result)
        throws(Failure) -> Result
    {
        try memory.span.bytes.withUnsafeBytes(body)
    }

    /// A copy of the text in which what is not UTF-8 is replaced (U+FFFD), as everywhere else.
    private mutating func repaired(_ place: Range<Int>) -> Range<Int> {
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: memory.span.extracting(place))
            return place
        } catch {
            let start = memory.count
            memory += Array(String(decoding: memory[place], as: UTF8.self).utf8)
            return start..<memory.count
        }
    }
}

/// Rows in their stored form, on their way into a page.
struct StoredRows {
    private(set) var memory: [UInt8] = []
    private(set) var ends: [Int] = []

    mutating func append(_ row: UnsafeRawBufferPointer) {
        memory.append(contentsOf: row)
        ends.append(memory.count)
    }
}

extension HistoryPage.Row {
    /// - Parameter events: where the row's events are added.
    init(from reader: inout TLSReader, _ events: inout [SystemEvent]) throws(MLSError) {
        sequence = try reader.readBool() ? try reader.read(UInt64.self) : nil
        era = try reader.read()
        sender = try reader.readID()
        time = try reader.read()
        switch try reader.read(UInt8.self) {
        case 0: content = .text(try reader.readPlace())
        case 1:
            let start = events.count
            events += try reader.readVector(of: SystemEvent.self)
            content = .system(start..<events.count)
        case 2:
            guard let why = HistoryRow.Unreadable(rawValue: try reader.read()) else {
                throw MLSError(.malformed, "unknown reason")
            }
            content = .unreadable(why)
        default: throw MLSError(.malformed, "unknown history content")
        }
        hasOtherKey = try reader.readBool()
        epoch = try reader.read()
        generation = try reader.readBool() ? try reader.read(UInt32.self) : nil
        messageID = try reader.readPlace(of: try reader.readBool() ? 16 : 0)
        digest = try reader.readPlace()
        outboxOrder = try reader.readBool() ? try reader.read(UInt64.self) : nil
    }
}
