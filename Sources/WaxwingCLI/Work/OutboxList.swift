import ConclaveProtocol
import WaxwingCore

/// The outbox, with all that explains it.
struct OutboxList {
    let words: OutboxWords
    let rows: [OutboxRow]
    private let reader: AccountReader
    private let places: [UInt64: Int]
    /// The first row of each group, which has to be done before those behind it.
    private let heads: [ID: OutboxRow]
    /// Whom the messages of a group wait for, in groups that hold some.
    private let held: [ID: [HoldView]]

    /// - Parameter now: the present, for relative times.
    init(_ reader: AccountReader, now: Moment) throws {
        self.reader = reader
        let names = Names(reader)
        words = OutboxWords(
            names: names, link: try reader.link(), isLoggedIn: try reader.account()?.token != nil,
            now: now)
        let rows = try reader.outbox()
        self.rows = rows
        places = Dictionary(rows.indices.map { (rows[$0].order, $0) }) { first, _ in first }
        heads = Dictionary(rows.filter { !$0.isFailed && $0.state != .held }.map { ($0.group, $0) }) { first, _ in first
        }
        var held: [ID: [HoldView]] = [:]
        for group in Set(rows.filter { $0.state == .held }.map(\.group)) {
            guard let record = try reader.group(group), let room = try reader.room(group) else { continue }
            held[group] = try room.holds.map { try HoldView($0, in: record, names) }
        }
        self.held = held
    }

    /// The row with this number, if it is still there.
    func row(_ order: UInt64) -> OutboxRow? { places[order].map { rows[$0] } }

    func why(_ row: OutboxRow) throws -> Why {
        let ahead = heads[row.group].flatMap { $0.order < row.order ? $0 : nil }
        return try words.why(
            row, in: try reader.group(row.group), ahead: ahead,
            heldBy: holds(row.group).map(\.why).joined(separator: "; "))
    }

    /// Whom the messages of a group wait for; no one if none is held.
    func holds(_ group: ID) -> [HoldView] { held[group] ?? [] }
}
