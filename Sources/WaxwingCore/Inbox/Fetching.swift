import ConclaveProtocol

/// Fetching the log: page by page, raw rows and cursor durable before anything is done with them.
extension ClientCore {
    mutating func beginPage(_ record: GroupRecord, _ serverID: ID, _ token: String, _ turn: inout Turn) {
        let lane = lanes[record.id]
        let overlap = lane.overlap && record.cursor > 0
        let after = overlap ? record.cursor - 1 : record.cursor
        lanes[record.id].needsFetch = true
        lanes[record.id].overlap = false
        let call = Endpoint.messages(group: serverID, after: after, limit: lane.pageRows, token: token)
        let request = PendingCall.PageRequest(
            group: record.id, era: record.era, after: after, limit: lane.pageRows, overlap: overlap)
        begin(.page(call, request), call.request, &turn)
    }

    mutating func pageCame(_ rows: [LogRow], _ request: PendingCall.PageRequest, _ turn: inout Turn) throws {
        guard var record = try turn.draft.group(request.group), record.era == request.era else { return }
        lanes[request.group].failures = 0
        var rows = rows[...]
        if request.overlap {
            if try numberingChanged(rows.first, record, turn) {
                try restartNumbering(record, &turn)
                return
            }
            if rows.first?.sequence == record.cursor { rows = rows.dropFirst() }
        }
        // Another process may have fetched meanwhile.
        rows = rows.drop { $0.sequence <= record.cursor }
        for row in rows {
            turn.draft.put(
                .inbox, Keys.inbox(record.id, parked: false, era: record.era, sequence: row.sequence),
                InboxRow(era: record.era, row: row))
        }
        if let last = rows.last {
            record.cursor = last.sequence
            turn.draft.put(record)
            lanes.backlog[record.id, default: 0] += rows.count
        }
        let isLast = rows.count + (request.overlap ? 1 : 0) < request.limit
        if isLast { lanes[request.group].needsFetch = false }
        lanes.ask(request.group)
        if lanes[request.group].pageRows < ClientLimits.pageRows { lanes[request.group].pageRows += 1 }
    }

    /// Whether the server has begun to count anew: then the row where our cursor stands is another one, or lies ahead of an empty log.
    private func numberingChanged(_ first: LogRow?, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard let first else {
            // Nothing at or behind the cursor: either all is deleted, or the server counts from 1 again. Rows that turn out to be
            // known are skipped by their digest.
            return true
        }
        guard first.sequence == record.cursor else { return false }
        return try turn.draft.seen(record.id, digest: sha256(first.message)) == nil
            && turn.draft.value(
                .inbox, Keys.inbox(record.id, parked: false, era: record.era, sequence: first.sequence)) == nil
            && turn.draft.value(
                .inbox, Keys.inbox(record.id, parked: true, era: record.era, sequence: first.sequence)) == nil
    }

    /// Reads the log from its beginning under a new era. Rows that are known already are told by their digest.
    mutating func restartNumbering(_ record: GroupRecord, _ turn: inout Turn) throws {
        var record = record
        record.era += 1
        record.cursor = 0
        turn.draft.put(record)
        lanes[record.id].needsFetch = true
        lanes[record.id].overlap = false
    }

    mutating func pageWasTooLarge(_ request: PendingCall.PageRequest, _ turn: inout Turn) {
        if request.limit > 1 {
            lanes[request.group].pageRows = max(1, request.limit / 2)
        } else {
            lanes[request.group].failures += 1
            waitUntil(
                turn.now.advanced(byMilliseconds: retryDelay(failures: lanes[request.group].failures)), request.group)
        }
    }

    mutating func pageRefused(_ error: ProtocolError, _ request: PendingCall.PageRequest, _ turn: inout Turn) throws {
        if try dealtWith(error, &turn) { return }
        switch error.code {
        case .notMember, .banned, .notFound:
            // The roster tells whether we were removed, or the group is gone.
            lanes[request.group].needsFetch = false
            lanes.account.groupsStale = true
        default:
            lanes[request.group].failures += 1
            waitUntil(
                turn.now.advanced(byMilliseconds: retryDelay(failures: lanes[request.group].failures)), request.group)
        }
    }
}
