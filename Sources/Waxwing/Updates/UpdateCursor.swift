import ConclaveProtocol
import WaxwingCore

/// The point up to which updates have been given. An app keeps it to continue from there, even in another process
/// (``Account/updates(after:)``).
///
/// `Codable`; a few dozen bytes per group.
public struct UpdateCursor: Hashable, Sendable, Codable {
    /// Before everything that is known about the account.
    public static let beginning = UpdateCursor()

    /// Keyed by the group id as text.
    private(set) var places: [String: Place] = [:]
    /// The ids of invites already given, as text.
    private(set) var invites: Set<String> = []

    /// How far a group's history has been given.
    struct Place: Hashable, Sendable, Codable {
        /// The era of the log that `end` belongs to.
        var era: UInt32 = 0
        /// The highest sequence number that was given.
        var end: UInt64 = 0
        /// Numbers below it that had no readable row yet: the answer to a message of ours may come before the rows
        /// ahead of it, and a row whose keys come late opens late.
        var missing: [ClosedRange<UInt64>] = []
        /// Messages of ours that were given before the log showed where they stand, by their id: the number in an answer
        /// is only the server's word.
        var ahead: Set<String> = []

        private static let mostAhead = 256
        /// Gaps further back than this are not waited for.
        static let window: UInt64 = 1_024

        /// New rows are looked for after this number.
        var lookAfter: UInt64 { min(missing.first.map { $0.lowerBound - 1 } ?? end, end) }

        /// Marks a row as given.
        ///
        /// - Returns: whether it is new.
        mutating func take(_ row: HistoryRow) -> Bool {
            guard let sequence = row.sequence else { return false }
            if row.era > era { self = Place(era: row.era) }
            guard row.era == era else { return false }
            // It may still become readable.
            let isReadable = row.content != .unreadable(.epochNotReached)
            if sequence > end {
                let last = isReadable ? sequence - 1 : sequence
                if last > end { missing.append(end + 1...last) }
                end = sequence
                forgetOld()
                return isReadable
            }
            guard isReadable, let place = missing.firstIndex(where: { $0.contains(sequence) }) else { return false }
            let range = missing.remove(at: place)
            if range.upperBound > sequence { missing.insert(sequence + 1...range.upperBound, at: place) }
            if range.lowerBound < sequence { missing.insert(range.lowerBound...sequence - 1, at: place) }
            return true
        }

        /// Takes a message of ours for given that stands ahead of what was fetched.
        ///
        /// - Returns: whether it is new.
        mutating func takeAhead(_ row: HistoryRow) -> Bool {
            guard let id = row.messageID, ahead.count < Self.mostAhead else { return false }
            return ahead.insert("\(id)").inserted
        }

        /// Whether a row that has its place by now was given before.
        mutating func wasAhead(_ row: HistoryRow) -> Bool {
            row.messageID.map { ahead.remove("\($0)") != nil } ?? false
        }

        private mutating func forgetOld() {
            guard end > Self.window else { return }
            let first = end - Self.window
            missing = missing.filter { $0.upperBound >= first }.map { max($0.lowerBound, first)...$0.upperBound }
        }
    }

    func place(of group: ID) -> Place { places[group.description] ?? Place() }

    mutating func set(_ place: Place, for group: ID) { places[group.description] = place }

    /// - Returns: whether it is new.
    mutating func take(_ invite: InviteRecord) -> Bool { invites.insert(invite.id.description).inserted }

    /// Forgets invites that were answered or are gone.
    mutating func keep(_ open: [InviteRecord]) { invites.formIntersection(open.map(\.id.description)) }
}
