import ConclaveProtocol
import Synchronization
import WaxwingCore

/// The times of a log, which are the server's word: those that run backwards are shown so.
final class LogTimes: Sendable {
    /// Clocks are set right by seconds now and then.
    private static let tolerance: UInt64 = 60

    private struct Place {
        var era: UInt32
        var sequence: UInt64
        /// Of the last row that somebody else sent.
        var time: UInt64?
    }

    private let last = Mutex<[ID: Place]>([:])

    /// Whether a row has an earlier time than the last one of somebody else before it. Our own rows have the time of our own clock at first, so they are
    /// left out.
    func runBack(at row: HistoryRow, in group: ID, notOf me: ID?, _ reader: AccountReader) throws -> Bool {
        guard let sequence = row.sequence else { return false }
        let known = last.withLock { $0[group] }
        let isNext = known.map { $0.era == row.era && $0.sequence < sequence } ?? false
        let isOlder = known.map { ($0.era, $0.sequence) > (row.era, sequence) } ?? false
        let before = try isNext ? known?.time : reader.timeBefore(row, notOf: me, in: group)
        let isOurs = row.sender == me
        let place = Place(era: row.era, sequence: sequence, time: isOurs ? before : row.time)
        // What could be opened only later does not stand between those that come.
        if !isOlder { last.withLock { $0[group] = place } }
        guard let before, !isOurs else { return false }
        return row.time < before && before - row.time > Self.tolerance
    }
}
