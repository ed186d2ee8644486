import ConclaveProtocol
import MLS

/// Takes history over from an archive. Only what is missing is written, so a second import changes nothing, and
/// importing again completes one that was cut short. Keys, membership and trust come only from the group itself.
extension ClientCore {
    mutating func importUsers(_ users: [ImportedUser], _ turn: inout Turn) throws {
        _ = try account(turn)
        for imported in users where InputRules.problem(username: imported.username) == nil {
            var user = try turn.draft.user(imported.id) ?? UserRecord()
            guard user.name.isEmpty else { continue }
            user.username = imported.username
            user.alias = InputRules.kept(alias: imported.alias)
            turn.draft.put(user, for: imported.id)
        }
    }

    mutating func importHistory(_ piece: ImportedHistory, _ turn: inout Turn) throws {
        _ = try account(turn)
        try check(piece)
        let known = try knownGroup(piece.group, turn)
        var record =
            known
            ?? GroupRecord(
                id: piece.group, serverID: piece.group, name: piece.name, alias: InputRules.kept(alias: piece.alias),
                status: .imported)
        let isUntouched = try isUntouched(record, turn)
        let front = isUntouched ? nil : try appliedFront(of: record, turn)
        var counts = ImportCounts()
        for row in piece.rows {
            guard let era = piece.eras[row.era], let sequence = row.sequence, Self.mayStandInALog(row) else {
                counts.misplaced += 1
                continue
            }
            var isMarked = sequence >= piece.unmarked[row.era] ?? 0
            var row = row
            row.era = era
            // There has to be a row where reading begins, or may begin.
            if case .system = row.content { isMarked = true }
            if isUntouched, moveCursor(of: &record, to: row, sequence) { isMarked = true }
            let key = Keys.history(record.id, era: era, sequence: sequence)
            try take(row, at: key, in: record, front, isMarked: isMarked, &counts, &turn)
        }
        if record != known { turn.draft.put(record) }
        turn.outcome = .imported(counts)
    }

    /// By the id that members share, or by the one that only this profile knows.
    private mutating func knownGroup(_ id: ID, _ turn: Turn) throws -> GroupRecord? {
        if let known = try localGroup(id, turn) { return known }
        return try turn.draft.group(id)
    }

    private func check(_ piece: ImportedHistory) throws {
        func isSound(_ row: HistoryRow) -> Bool {
            // Servers count from 1; below that there is only room for what never was in a log.
            guard let sequence = row.sequence, row.outboxOrder == nil else { return false }
            return sequence > 0 && sequence <= Int64.max && row.era <= ClientLimits.importedEras
                && (row.digest.isEmpty || row.digest.count == 32)
        }
        guard piece.rows.count <= ClientLimits.importedRows, piece.rows.allSatisfy(isSound),
            piece.eras.values.allSatisfy({ $0 <= ClientLimits.importedEras })
        else { throw CoreError.invalidHistory }
    }

    private static func mayStandInALog(_ row: HistoryRow) -> Bool {
        if case .text(let text) = row.content, text.utf8.count > ClientLimits.importedText { return false }
        return row.sequence ?? 0 <= ClientLimits.importedSequence
    }

    /// Whether there were never keys of the group here, and its log is not being read to get some: then the archive may
    /// say where to continue reading it.
    private func isUntouched(_ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard record.mlsGroupID.isEmpty, try turn.draft.page(.outbox, prefix: record.id.bytes, limit: 1).isEmpty else {
            return false
        }
        return try turn.draft.page(.inbox, prefix: record.id.bytes, limit: 1).isEmpty
    }

    /// Where the first row that is not applied yet will go. Rows from there on must not count as seen: they may be
    /// commits.
    private func appliedFront(of record: GroupRecord, _ turn: Turn) throws -> [UInt8] {
        if let first = try turn.draft.page(.inbox, prefix: Keys.inbox(record.id), limit: 1).first {
            return Keys.history(ofInbox: first.key)
        }
        return Keys.history(record.id, era: record.era, sequence: record.cursor) + [0]
    }

    private func take(
        _ row: HistoryRow, at key: [UInt8], in record: GroupRecord, _ front: [UInt8]?, isMarked: Bool,
        _ counts: inout ImportCounts, _ turn: inout Turn
    ) throws {
        if let here: HistoryRow = try turn.draft.record(.history, key) {
            if here.digest != row.digest, !here.digest.isEmpty, !row.digest.isEmpty {
                counts.misplaced += 1
            } else if here.isReadable || !row.isReadable || here.digest.isEmpty || row.digest.isEmpty {
                counts.known += 1
            } else if here.sender != row.sender {
                counts.misplaced += 1
            } else {
                turn.draft.put(.history, key, here.opened(by: row))
                counts.opened += 1
            }
            return
        }
        if try isShownElsewhere(row, in: record.id, turn) {
            counts.known += 1
            return
        }
        let isApplied = front.map(key.lexicographicallyPrecedes) ?? true
        if !isApplied, record.status == .active {
            // If there is such a row, the log of a living group will tell of it.
            counts.misplaced += 1
            return
        }
        turn.draft.put(.history, key, row)
        counts.added += 1
        guard isMarked, isApplied, let sequence = row.sequence else { return }
        let place = SeenRecord.imported(era: row.era, sequence: sequence)
        if !row.digest.isEmpty, try turn.draft.seen(record.id, digest: row.digest) == nil {
            turn.draft.put(.seen, Keys.seen(record.id, digest: row.digest), place)
        }
        if let message = row.messageID {
            let seen = Keys.seen(record.id, sender: row.sender, message: message)
            if try turn.draft.value(.seen, seen) == nil { turn.draft.put(.seen, seen, place) }
        }
    }

    /// Whether the row, or the message in it, has a line in the history under another number, or waits in the outbox.
    private func isShownElsewhere(_ row: HistoryRow, in group: ID, _ turn: Turn) throws -> Bool {
        var marks: [[UInt8]] = []
        if !row.digest.isEmpty { marks.append(Keys.seen(group, digest: row.digest)) }
        if let message = row.messageID { marks.append(Keys.seen(group, sender: row.sender, message: message)) }
        for mark in marks {
            switch try turn.draft.record(.seen, mark, as: SeenRecord.self) {
            // Written here: it has its line already.
            case .own, .row(era: 0, sequence: 0): return true
            case .row(let era, let sequence), .imported(let era, let sequence):
                let place = Keys.history(group, era: era, sequence: sequence)
                if try turn.draft.value(.history, place) != nil { return true }
            case nil: break
            }
        }
        return false
    }

    /// Reading the log will continue from the last commit that the archive knows. There the server's numbering is
    /// compared with the archive's, and a living GroupInfo is told from a dead one.
    ///
    /// - Returns: whether the cursor is now at this row.
    private func moveCursor(of record: inout GroupRecord, to row: HistoryRow, _ sequence: UInt64) -> Bool {
        guard !row.digest.isEmpty else { return false }
        if row.era > record.era || row.era == record.era && record.cursor == 0 {
            record.era = row.era
            record.cursor = sequence
            return true
        }
        guard case .system = row.content, row.era == record.era, sequence > record.cursor else { return false }
        record.cursor = sequence
        return true
    }
}

extension HistoryRow {
    /// This row with what an archive read in it. The log has told who sent it, its place, and when it came.
    fileprivate func opened(by row: HistoryRow) -> HistoryRow {
        var line = self
        line.content = row.content
        line.hasOtherKey = row.hasOtherKey
        line.generation = row.generation
        line.messageID = row.messageID
        return line
    }
}
