import ConclaveProtocol
import Synchronization
import WaxwingCore

/// The times of a log, which the server sets; marks those that run backwards.
final class LogTimes: Sendable {
    /// Clocks are adjusted by seconds now and then.
    private static let tolerance: UInt64 = 60

    private struct Place {
        var era: UInt32
        var sequence: UInt64
        /// The time of the last row sent by someone else.
        var time: UInt64?
    }

    private let last = Mutex<[ID: Place]>([:])

    /// Whether a row is earlier than the last row before it by someone else. Our own rows at first have the time of our
    /// own clock, so they are left out.
    func runBack(at row: HistoryRow, in group: ID, notOf me: ID?, _ reader: AccountReader) throws -> Bool {
        guard let sequence = row.sequence else { return false }
        let known = last.withLock { $0[group] }
        let isNext = known.map { $0.era == row.era && $0.sequence < sequence } ?? false
        let isOlder = known.map { ($0.era, $0.sequence) > (row.era, sequence) } ?? false
        let before = try isNext ? known?.time : reader.timeBefore(row, notOf: me, in: group)
        let isOurs = row.sender == me
        let place = Place(era: row.era, sequence: sequence, time: isOurs ? before : row.time)
        // A row that could be opened only later is not in its place among those that come in.
        if !isOlder { last.withLock { $0[group] = place } }
        guard let before, !isOurs else { return false }
        return row.time < before && before - row.time > Self.tolerance
    }
}
