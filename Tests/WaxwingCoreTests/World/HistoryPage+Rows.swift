@testable import WaxwingCore

extension HistoryPage {
    /// The rows, each by itself.
    var eachRow: [HistoryRow] {
        rows.map { row in HistoryRow(row, events) { place in withBytes { Array($0[place])[...] } } }
    }
}
