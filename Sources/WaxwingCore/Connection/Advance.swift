import ConclaveProtocol
import MLS

extension ClientCore {
    /// Begins everything that can be begun now. Called at the end of every input.
    mutating func advance(_ turn: inout Turn) throws {
        guard link.isOn else { return }
        try wakeLink(&turn)
        guard case .up = link.state else { return }
        guard let token = try turn.draft.account()?.token else {
            // Another process signed out.
            setLink(.loginNeeded, &turn)
            return
        }
        lanes.wake(turn.moment, fetching: !link.live)
        try advanceAccount(token, &turn)

        var later: [ID] = []
        for (index, id) in lanes.agenda.enumerated() {
            if !lanes.hasFreeCall {
                later += lanes.agenda[index...]
                break
            }
            var step = LaneStep.again
            while step == .again { step = try advanceGroup(id, token, &turn) }
            if step == .askLater { later.append(id) }
        }
        lanes.askAgain(later)
        try advanceAccount(token, &turn)
    }

    enum LaneStep {
        /// Nothing to do until something happens.
        case rest
        /// There is something to do, but not yet.
        case askLater
        /// A step was made without a request: look again at once.
        case again
    }

    /// Does the next thing for one group: first fetch, then what waits in the outbox.
    private mutating func advanceGroup(_ id: ID, _ token: SessionToken, _ turn: inout Turn) throws -> LaneStep {
        let lane = lanes[id]
        if lane.busy || lane.waitsForTime { return .rest }
        guard let record = try turn.draft.group(id) else { return .rest }

        if let serverID = record.serverID, try mayFetch(record, turn) {
            if lane.needsFetch || lane.overlap {
                // Rows are fetched while others are applied, but never far ahead.
                if lanes.backlog[id, default: 0] >= ClientLimits.inboxBacklog { return .askLater }
                beginPage(record, serverID, token, &turn)
                return .rest
            }
        }
        if lanes.backlog[id] != nil { return .askLater }
        if lane.recheckEscrows {
            lanes[id].recheckEscrows = false
            if !lanes.account.invitesToCheck.contains(id) { lanes.account.invitesToCheck.append(id) }
        }
        if lane.rosterUncompared { try compareWithTree(record, &turn) }
        // The log is drained: now, and only now, may something be sent.
        if lane.hasParked, record.status == .active {
            // There are rows of later epochs but no commit that leads there: the log has a hole, and the only way left
            // is an external commit.
            lanes[id].hasParked = false
            if lane.looksForParked < ClientLimits.looksForParked {
                lanes[id].looksForParked += 1
                try queueOnce(.rejoin, in: id, &turn)
            }
        }
        switch try turn.draft.outboxHead(id, now: turn.moment) {
        case .nothing: return try rotateIfDue(record, &turn) ? .again : .rest
        case .wait(let moment):
            lanes.sleep(id, until: moment)
            return .rest
        case .row(let head):
            do {
                return try carryOut(head, record, token, &turn)
            } catch let error as MLSError {
                return fail(head, .keysRefuse(detail: error.reason), &turn)
            }
        }
    }

    /// Without keys, rows are only good for finding our place in the log for an external commit.
    private func mayFetch(_ record: GroupRecord, _ turn: Turn) throws -> Bool {
        switch record.status {
        case .active, .creating: true
        case .keyless: try !turn.draft.comingBack(record.id).isEmpty
        case .removed, .left, .deleted, .imported: false
        }
    }

    private mutating func advanceAccount(_ token: SessionToken, _ turn: inout Turn) throws {
        guard !lanes.account.busy, lanes.hasFreeCall, lanes.account.notBefore.isDue(turn.moment) else { return }
        lanes.account.notBefore = nil
        if lanes.account.groupsStale {
            // What changes while the request is on its way makes the list stale again.
            lanes.account.groupsStale = false
            lanes.account.round += 1
            let call = Endpoint.groups(token: token)
            begin(.groups(call, round: lanes.account.round), call.request, &turn)
        } else if lanes.account.welcomesStale {
            lanes.account.welcomesStale = false
            let call = Endpoint.welcomes(token: token)
            begin(.welcomes(call), call.request, &turn)
        } else if let welcome = lanes.account.welcomesToAccept.first {
            lanes.account.welcomesToAccept.removeFirst()
            let call = Endpoint.acceptWelcome(welcome, token: token)
            begin(.acceptWelcome(call), call.request, &turn)
        } else if lanes.account.invitesStale {
            lanes.account.invitesStale = false
            let call = Endpoint.invites(token: token)
            begin(.invites(call), call.request, &turn)
        } else if let group = lanes.account.invitesToCheck.first {
            lanes.account.invitesToCheck.removeFirst()
            guard let serverID = try turn.draft.group(group)?.serverID else { return }
            let call = Endpoint.groupInvites(group: serverID, token: token)
            begin(.groupInvites(call, group: group), call.request, &turn)
        } else if lanes.account.keyPackagesUnchecked {
            try replenishKeyPackages(token, &turn)
        } else if let user = lanes.account.namesWanted.first {
            lanes.account.namesWanted.removeFirst()
            let call = Endpoint.user(id: user, token: token)
            begin(.userName(call, user), call.request, &turn)
        }
    }

    mutating func begin(_ call: PendingCall, _ request: APIRequest, _ turn: inout Turn) {
        if let group = call.group { lanes[group].busy = true } else { lanes.account.busy = true }
        let id = lanes.begin(call)
        turn.effects.append(.send(id, request))
    }

    /// Takes up what the store says is left to do: groups with rows to apply, and groups with something in the outbox.
    mutating func lookAround() throws {
        for group in try groupsWithRecords(in: .inbox, marker: 0) where lanes.backlog[group] == nil {
            lanes.backlog[group] = 1
        }
        for group in try groupsWithRecords(in: .outbox, marker: nil) { lanes.ask(group) }
    }

    /// The groups with at least one record in a table, found by skipping from group to group.
    func groupsWithRecords(in table: Table, marker: UInt8?) throws -> [ID] {
        var found: [ID] = []
        var lower: [UInt8] = []
        while let first = try store.page(table, from: lower, below: nil, limit: 1, descending: false).first {
            let group = Array(first.key.prefix(16))
            guard let id = ID(group) else { break }
            if marker == nil || first.key.dropFirst(16).first == marker { found.append(id) }
            guard let next = Record.key(afterPrefix: group) else { break }
            lower = next
        }
        return found
    }
}
