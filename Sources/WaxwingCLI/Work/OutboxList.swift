import ConclaveProtocol
import WaxwingCore

/// The outbox together with all that explains it.
struct OutboxList {
    let words: OutboxWords
    let rows: [OutboxRow]
    private let reader: AccountReader

    init(_ reader: AccountReader) throws {
        self.reader = reader
        words = OutboxWords(
            names: Names(reader), link: try reader.link(), isLoggedIn: try reader.account()?.token != nil,
            now: .now)
        rows = try reader.outbox()
    }

    func why(_ row: OutboxRow) throws -> String {
        words.why(row, in: try reader.group(row.group), ahead: try Self.ahead(of: row, reader))
    }

    /// The row of the same group that has to be done before this one.
    static func ahead(of row: OutboxRow, _ reader: AccountReader) throws -> OutboxRow? {
        try reader.outbox().first { $0.group == row.group && !$0.isFailed && $0.order < row.order }
    }
}
