import ConclaveProtocol
import MLS

/// Fetches the log page by page. Raw rows and the cursor are durable before anything is done with them.
extension ClientCore {
    mutating func beginPage(_ record: GroupRecord, _ serverID: ID, _ token: SessionToken, _ turn: inout Turn) {
        let lane = lanes[record.id]
        let overlap = lane.overlap && record.cursor > 0
        let after = overlap ? record.cursor - 1 : record.cursor
        lanes[record.id].needsFetch = true
        lanes[record.id].overlap = false
        let call = Endpoint.messages(group: serverID, after: after, limit: lane.pageRows, token: token)
        let request = PendingCall.PageRequest(
            group: record.id, era: record.era, after: after, limit: lane.pageRows, overlap: overlap,
            isLook: lane.overlap)
        begin(.page(call, request), call.request, &turn)
    }

    mutating func pageCame(_ rows: [LogRow], _ request: PendingCall.PageRequest, _ turn: inout Turn) throws {
        guard var record = try turn.draft.group(request.group), record.era == request.era else { return }
        lanes[request.group].failures = 0
        lanes[request.group].isRefused = false
        let isLast = rows.count < request.limit
        var rows = rows[...]
        if request.overlap {
            if try numberingChanged(rows.first, record, turn) {
                try restartNumbering(record, &turn)
                return
            }
            if let first = rows.first, first.sequence == record.cursor {
                try noteCommit(in: first, of: record, &turn)
                rows = rows.dropFirst()
            }
        }
        // Another process may have fetched meanwhile.
        rows = rows.drop { $0.sequence <= record.cursor }
        if try standsOnOurs(rows, record, turn) {
            try restartNumbering(record, &turn)
            return
        }
        // A log that is empty from its very beginning says nothing about what has left it meanwhile.
        let isEmptied = request.isLook && !request.overlap && rows.isEmpty
        if isEmptied || hasGap(rows, after: record.cursor) { try lookForLostCommits(&record, &turn) }
        for row in rows {
            turn.draft.put(
                .inbox, Keys.inbox(record.id, era: record.era, sequence: row.sequence),
                InboxRow(era: record.era, row: row))
        }
        if let last = rows.last {
            record.cursor = last.sequence
            turn.draft.put(record)
            lanes.backlog[record.id, default: 0] += rows.count
        }
        if isLast {
            lanes[request.group].needsFetch = false
            lanes[request.group].hasReadLog = true
        }
        lanes.ask(request.group)
        if lanes[request.group].pageRows < ClientLimits.pageRows { lanes[request.group].pageRows += 1 }
    }

    /// Whether the server has restarted its numbering: then another row is at our cursor, or the log is empty and the
    /// cursor lies ahead of it.
    private func numberingChanged(_ first: LogRow?, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard let first else {
            // There is nothing at or after the cursor: either everything is deleted, or the server counts from 1 again.
            // Rows that turn out to be known are skipped by their digest.
            return true
        }
        guard first.sequence == record.cursor else { return false }
        if try turn.draft.seen(record.id, digest: sha256(first.message)) != nil { return false }
        if try turn.draft.value(.inbox, Keys.inbox(record.id, era: record.era, sequence: first.sequence)) != nil {
            return false
        }
        return try !isParked(first, record, turn)
    }

    /// Whether a row has the number that the server gave to a message of ours that we have not fetched yet: then the
    /// server has forgotten ours.
    private func standsOnOurs(_ rows: ArraySlice<LogRow>, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard !rows.isEmpty, let last = try turn.draft.lastSequence(record.id, era: record.era), last > record.cursor
        else { return false }
        let digests = Set(rows.map { sha256($0.message) })
        for row in rows where row.sequence <= last {
            guard let line = try line(at: row.sequence, record, turn) else { continue }
            // If that line is elsewhere in the log, the answer to it was damaged, and it gets its right place there.
            if !digests.contains(line.digest) { return true }
        }
        return false
    }

    /// Whether another line is at a number of the log.
    func isTaken(_ sequence: UInt64, _ digest: [UInt8], _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        try line(at: sequence, record, turn).map { $0.digest != digest } ?? false
    }

    /// What the history has at a number of the present numbering, with the hash of its ciphertext.
    private func line(at sequence: UInt64, _ record: GroupRecord, _ turn: Turn) throws -> HistoryRow? {
        let key = Keys.history(record.id, era: record.era, sequence: sequence)
        guard let line: HistoryRow = try turn.draft.record(.history, key), !line.digest.isEmpty else { return nil }
        return line
    }

    private func hasGap(_ rows: ArraySlice<LogRow>, after cursor: UInt64) -> Bool {
        var last = cursor
        for row in rows {
            if row.sequence > last, row.sequence - last > 1 { return true }
            last = row.sequence
        }
        return false
    }

    /// Rows have left the log that we never saw, and there may be commits among them: a member who missed one and goes
    /// on committing splits the group. The server's GroupInfo tells whether the group is ahead of us; nothing is sent
    /// before that is known.
    ///
    /// This is written down together with the cursor that passes over the gap, as nothing else will tell of it later.
    private mutating func lookForLostCommits(_ record: inout GroupRecord, _ turn: inout Turn) throws {
        guard record.status == .active else { return }
        if !record.hasHole {
            record.hasHole = true
            turn.draft.put(record)
        }
        try queueOnce(.rejoin, in: record.id, &turn)
    }

    /// History from an archive ends with a row that this profile has not fetched. If it is a commit, it tells the
    /// living GroupInfo from a dead one.
    private func noteCommit(in row: LogRow, of record: GroupRecord, _ turn: inout Turn) throws {
        guard record.status == .keyless, let summary = try? MLSMessage.summary(of: row.message) else { return }
        try noteCommit(summary, InboxRow(era: record.era, row: row), in: record.id, &turn)
    }

    private func isParked(_ row: LogRow, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard let epoch = try? MLSMessage.summary(of: row.message).epoch else { return false }
        let key = Keys.parked(record.id, epoch: epoch, era: record.era, sequence: row.sequence)
        return try turn.draft.value(.inbox, key) != nil
    }

    /// Reads the log from its beginning, under a new era. Rows that are already known are recognized by their digest.
    mutating func restartNumbering(_ record: GroupRecord, _ turn: inout Turn) throws {
        var record = record
        // An archive may have brought rows of a numbering that this profile never saw.
        record.era = max(record.era, try turn.draft.lastEra(record.id) ?? 0) + 1
        record.cursor = 0
        turn.draft.put(record)
        lanes[record.id].needsFetch = true
        lanes[record.id].overlap = false
        // What was in the log between our cursor and its end is gone, if there was anything.
        try lookForLostCommits(&record, &turn)
    }

    mutating func pageWasTooLarge(_ request: PendingCall.PageRequest, _ trouble: Trouble, _ turn: inout Turn) {
        if request.limit > 1 {
            lanes[request.group].pageRows = max(1, request.limit / 2)
        } else {
            turn.notice(.unusableAnswer(trouble))
            putOff(request.group, &turn)
        }
    }

    /// The connection did not hold for as long as a page takes: on a slow line the next page is smaller, or none would
    /// ever come through.
    mutating func pageWasTorn(_ request: PendingCall.PageRequest) {
        lanes[request.group].pageRows = max(1, request.limit / 2)
    }

    private mutating func putOff(_ group: ID, _ turn: inout Turn) {
        lanes[group].failures += 1
        lanes.sleep(group, until: turn.deadline(afterMilliseconds: retryDelay(failures: lanes[group].failures)))
    }

    mutating func pageRefused(
        _ error: ProtocolError, _ request: PendingCall.PageRequest, _ sent: APIRequest, _ turn: inout Turn
    ) throws {
        if try dealtWith(error, sent, &turn) { return }
        if error.status == 413 {
            pageWasTooLarge(request, Trouble(error), &turn)
            return
        }
        switch error.code {
        case .notMember, .banned, .notFound:
            try answerCame(&turn)
            // The roster tells whether we were removed, or the group is gone.
            lanes[request.group].needsFetch = false
            lanes[request.group].isRefused = true
            if error.code == .notFound { lanes[request.group].isDeleted = true }
            lanes.account.groupsStale = true
        default:
            turn.notice(.unusableAnswer(Trouble(error)))
            putOff(request.group, &turn)
        }
    }
}
