public import ConclaveProtocol

/// Finds out which numbering of a group's log in an archive is which one of this profile.
///
/// Each profile counts for itself how often the server restarted its numbering, so the same numbering may have another
/// number in an archive made elsewhere. A row that both know, under the same sequence number, tells which is which. If
/// they have no row in common, a numbering keeps its number, unless another row is in the place of one of its rows, or
/// the order of numberings would break.
///
/// Look at rows in any order, then ask for the ``eras``. A row costs a few look-ups in the store.
public struct EraMatch: Sendable {
    private let draft: Draft
    private let group: ID?
    private let lastEra: UInt32
    private var places: [UInt32: UInt32] = [:]
    private var strangers: Set<UInt32> = []
    private var seen: Set<UInt32> = []

    /// - Parameter group: the server's id, or the one that only this profile knows.
    /// - Throws: ``StoreError``.
    public init(_ reader: AccountReader, group: ID) throws(StoreError) {
        draft = reader.draft
        let shared = try draft.groups().first { $0.serverID == group }
        let own = try draft.group(group)
        guard let record = shared ?? own else {
            self.group = nil
            lastEra = 0
            return
        }
        lastEra = try draft.lastEra(record.id) ?? 0
        let isEmpty = try reader.history(record.id, limit: 1).isEmpty && record.cursor == 0
        self.group = isEmpty ? nil : record.id
    }

    /// Whether more rows can help: for a group with no history here, nothing has to be looked at.
    public var needsRows: Bool { group != nil }

    /// Notes that the archive has rows of a numbering, without looking at one.
    public mutating func note(era: UInt32) { seen.insert(era) }

    /// - Throws: ``StoreError``.
    public mutating func look(at row: HistoryRow) throws(StoreError) {
        seen.insert(row.era)
        guard let group, let sequence = row.sequence, !row.digest.isEmpty, places[row.era] == nil else { return }
        switch try draft.seen(group, digest: row.digest) {
        case .row(let era, sequence), .imported(let era, sequence):
            places[row.era] = era
            return
        default: break
        }
        if let here = try rowHere(row.era, sequence), !here.digest.isEmpty {
            if here.digest == row.digest { places[row.era] = row.era } else { strangers.insert(row.era) }
        }
        // Rows from an archive may have no marks.
        for era in 0..<min(UInt32(ClientLimits.earlierEras), lastEra &+ 1) where places[row.era] == nil {
            if try rowHere(era, sequence)?.digest == row.digest { places[row.era] = era }
        }
    }

    private func rowHere(_ era: UInt32, _ sequence: UInt64) throws(StoreError) -> HistoryRow? {
        guard let group else { return nil }
        return try draft.record(.history, Keys.history(group, era: era, sequence: sequence))
    }

    /// Whether a row that was looked at is here, under its number.
    public func isKnown(_ row: HistoryRow) -> Bool { places[row.era] != nil }

    /// Whether there are numberings that no log has reached: too far ahead of how many there are, and of those known
    /// here. Rows taken under such a number would push every later numbering further, until nothing could be counted
    /// any more.
    public var hasStrays: Bool {
        let known = max(UInt64(lastEra) + 1, ClientLimits.importedErasAhead)
        return seen.sorted().enumerated().contains { index, era in UInt64(era) > known + UInt64(index) }
    }

    /// Whether a row of an archive is here, judged by its number alone.
    ///
    /// - Throws: ``StoreError``.
    public func holds(era: UInt32, sequence: UInt64) throws(StoreError) -> Bool {
        try rowHere(places[era] ?? era, sequence) != nil
    }

    /// Where each numbering that was looked at belongs. Those that have no place here are missing.
    public var eras: [UInt32: UInt32] {
        var eras = places
        for era in seen.subtracting(strangers) where places[era] == nil {
            let fits = places.allSatisfy { other, place in other < era ? place < era : era < place }
            if fits { eras[era] = era }
        }
        return eras
    }
}
