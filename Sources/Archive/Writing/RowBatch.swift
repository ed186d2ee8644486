import ConclaveProtocol
import WaxwingCore

/// Rows of one group on their way into the files.
///
/// What the rows say and what their senders are called stands in one piece of memory, and the rows say where: three threads go over them, and
/// would be busy counting references to each other's strings and arrays otherwise.
///
/// `@unchecked Sendable`: nothing changes once it is handed over.
final class RowBatch: @unchecked Sendable {
    /// As many as are worth handing over, few enough to wait in memory: rows, and bytes of what they say.
    private static let rowsMax = 256
    private static let bytesMax = 256 << 10

    /// A place in the batch's memory.
    struct Place {
        fileprivate var start = 0
        fileprivate var count = 0
    }

    /// What a row says.
    enum Content {
        case text(Place)
        case system(Range<Int>)
        case unreadable(Unreadable)
    }

    /// A row without anything that lies elsewhere.
    struct Row {
        var sequence: UInt64
        var era: UInt32
        var time: UInt64
        var sender: Sender
        var content: Content
        var hasOtherKey: Bool
        var epoch: UInt64
        var generation: UInt32?
        /// Empty where there is none.
        var messageID: Place
        var digest: Place
    }

    /// Where the sender's pieces stand.
    struct Sender {
        fileprivate(set) var inMessages: Place
        fileprivate(set) var inMarkdown: Place
        fileprivate(set) var inHTML: Place
    }

    let group: ArchiveGroup
    /// Whether the group begins with them.
    let isFirst: Bool
    private var kept = Kept()
    private var contents = UnsafeRawBufferPointer(start: nil, count: 0)

    init(_ group: ArchiveGroup, isFirst: Bool) {
        self.group = group
        self.isFirst = isFirst
    }

    var isFull: Bool { kept.rows.count >= Self.rowsMax || contents.count >= Self.bytesMax }
    var rows: [Row] { kept.rows }
    var events: [SystemEvent] { kept.events }
    /// Those that events name.
    var people: [ID: Person] { kept.people }

    func bytes(_ place: Place) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: contents[place.start..<(place.start + place.count)])
    }

    func add(_ row: HistoryRow, _ sequence: UInt64, _ person: (ID) throws -> Person) throws {
        try kept.add(row, sequence, person)
        contents = kept.memory.contents
    }

    /// All that grows, in one value: so that a row takes one access to it.
    private struct Kept: ~Copyable {
        var rows: [Row] = []
        var events: [SystemEvent] = []
        var people: [ID: Person] = [:]
        var senders: [ID: Sender] = [:]
        var memory = TextBuffer(capacity: 64 << 10)

        init() { rows.reserveCapacity(RowBatch.rowsMax) }

        mutating func add(_ row: HistoryRow, _ sequence: UInt64, _ person: (ID) throws -> Person) throws {
            let sender: Sender
            if let known = senders[row.sender] {
                sender = known
            } else {
                let person = try person(row.sender)
                sender = Sender(
                    inMessages: keep(person.inMessages), inMarkdown: keep(person.inMarkdown),
                    inHTML: keep(person.inHTML))
                senders[row.sender] = sender
            }
            rows.append(
                Row(
                    sequence: sequence, era: row.era, time: row.time, sender: sender,
                    content: try keep(row.content, person), hasOtherKey: row.hasOtherKey, epoch: row.epoch,
                    generation: row.generation, messageID: row.messageID.map { keep($0.bytes) } ?? Place(),
                    digest: keep(row.digest)))
        }

        private mutating func keep(_ content: HistoryRow.Content, _ person: (ID) throws -> Person) throws -> Content {
            switch content {
            case .text(var text): return .text(text.withUTF8 { keep(UnsafeRawBufferPointer($0)) })
            case .system(let system):
                for event in system {
                    for user in [event.actor, event.subject] where people[user] == nil {
                        people[user] = try person(user)
                    }
                }
                defer { events += system }
                return .system(events.count..<(events.count + system.count))
            case .unreadable(let reason): return .unreadable(reason)
            }
        }

        private mutating func keep(_ bytes: UnsafeRawBufferPointer) -> Place {
            defer { memory.append(raw: bytes) }
            return Place(start: memory.count, count: bytes.count)
        }

        private mutating func keep(_ bytes: [UInt8]) -> Place { bytes.withUnsafeBytes { keep($0) } }
    }
}

extension RowBatch.Place {
    var isEmpty: Bool { count == 0 }
}
