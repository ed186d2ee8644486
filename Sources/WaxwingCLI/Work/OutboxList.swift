import ConclaveProtocol
import WaxwingCore

/// The outbox together with all that explains it.
struct OutboxList {
    let words: OutboxWords
    let rows: [OutboxRow]
    private let reader: AccountReader
    private let places: [UInt64: Int]
    /// The first row of each group that has to be done before those behind it.
    private let heads: [ID: OutboxRow]

    init(_ reader: AccountReader) throws {
        self.reader = reader
        words = OutboxWords(
            names: Names(reader), link: try reader.link(), isLoggedIn: try reader.account()?.token != nil,
            now: .now)
        let rows = try reader.outbox()
        self.rows = rows
        places = Dictionary(rows.indices.map { (rows[$0].order, $0) }) { first, _ in first }
        heads = Dictionary(rows.filter { !$0.isFailed && $0.state != .held }.map { ($0.group, $0) }) { first, _ in first
        }
    }

    /// The row with this number, if it is still there.
    func row(_ order: UInt64) -> OutboxRow? { places[order].map { rows[$0] } }

    func why(_ row: OutboxRow) throws -> String {
        let ahead = heads[row.group].flatMap { $0.order < row.order ? $0 : nil }
        return words.why(
            row, in: try reader.group(row.group), ahead: ahead,
            heldBy: row.state == .held ? try holds(row.group).map(\.why).joined(separator: "; ") : "")
    }

    /// Whom the messages of a group wait for.
    func holds(_ group: ID) throws -> [HoldView] {
        guard let record = try reader.group(group) else { return [] }
        return try reader.room(group)?.holds.map { try HoldView($0, in: record, reader) } ?? []
    }
}
