import ConclaveProtocol

/// Whether there is a way to the server, and when to try again.
struct LinkControl: Sendable {
    var state = LinkState.off
    /// Whether events are wanted too.
    var live = false
    var failures: UInt32 = 0
    /// A trouble is on record in the store, to be cleared by the first answer.
    var troubleOnRecord = true
    private(set) var feedOpen = false

    /// Somebody wants to talk to the server.
    var isOn: Bool {
        switch state {
        case .off, .loginNeeded: false
        case .connecting, .up, .waiting: true
        }
    }

    mutating func feedOpened() { feedOpen = true }
    mutating func feedClosed() { feedOpen = false }
}

extension ClientCore {
    mutating func connect(live: Bool, _ turn: inout Turn) throws {
        guard let token = try account(turn).token else {
            setLink(.loginNeeded, &turn)
            return
        }
        link.live = live
        lanes.forgetAll()
        // What a process that is gone was sending: its outcome is unknown.
        for row in try turn.draft.outbox() where row.state == .sending { outcomeIsUnknown(row, &turn) }
        if live {
            setLink(.connecting, &turn)
            turn.effects.append(.openFeed(token: token))
        } else {
            try linkIsUp(&turn)
        }
    }

    mutating func disconnect(_ turn: inout Turn) throws {
        for case .operation(_, let group, let order) in lanes.calls.sorted(by: { $0.key < $1.key }).map(\.value) {
            if let row = try turn.draft.outboxRow(group, order: order) { outcomeIsUnknown(row, &turn) }
        }
        if link.live { turn.effects.append(.closeFeed) }
        link.feedClosed()
        lanes.forgetAll()
        setLink(.off, &turn)
    }

    private func outcomeIsUnknown(_ row: OutboxRow, _ turn: inout Turn) {
        var row = row
        row.state = .unconfirmed
        row.trouble = "the connection ended before the server answered; the log will tell whether it arrived"
        turn.draft.put(row)
    }

    /// Everything has to be looked at: what happened while we were away is in the log, not in events.
    private mutating func linkIsUp(_ turn: inout Turn) throws {
        setLink(.up, &turn)
        lanes.account.everythingIsStale()
        lanes.serverIDs = [:]
        try lookAround()
        for group in try turn.draft.groups() {
            lanes[group.id].needsFetch = true
            lanes[group.id].overlap = true
            // Parked by a process that is gone, perhaps before it came to the end of the log.
            if group.parkedRows > 0 { lanes[group.id].hasParked = true }
            if group.status == .keyless { try lookAtOnce(group.id, &turn) }
            // Others may have turned away from our branch without a word in the log.
            if group.status == .active, group.entry != .proven {
                try lookAfterGroupInfo(of: group.id, atOnce: true, &turn)
            }
            lanes.wake(group.id)
            if try mustLookAfterInvites(group, turn) { lanes[group.id].recheckEscrows = true }
        }
        // Invites of ours may have been declined, or have run out, while nobody told us.
        for group in try groupsWithRecords(in: .staged, marker: nil)
        where try turn.draft.staged(group).contains(where: { $0.record.isEscrow }) {
            lanes[group].recheckEscrows = true
        }
    }

    mutating func feed(_ event: FeedEvent, _ turn: inout Turn) throws {
        guard link.isOn else { return }
        switch event {
        case .opened:
            link.feedOpened()
            try answerCame(&turn)
            try linkIsUp(&turn)
        case .lagged:
            try linkIsUp(&turn)
        case .event(let hint):
            try hear(hint, &turn)
        }
    }

    mutating func feedEnded(_ error: TransportError?, _ turn: inout Turn) throws {
        link.feedClosed()
        guard link.isOn, link.live else { return }
        if case .waiting = link.state { return }
        if error?.cause == .badAnswer, let token = try account(turn).token, !lanes.account.busy {
            // Perhaps the token is no longer good: the answer to an ordinary request has a code that says so.
            lanes.account.round += 1
            let call = Endpoint.groups(token: token)
            begin(.groups(call, round: lanes.account.round), call.request, &turn)
        }
        try linkFailed(
            error ?? TransportError(.unknown, .connectionLost, "the server ended the event stream"), &turn)
    }

    /// A request or the feed got nowhere. Ends all hope until the next try, which comes later each time.
    mutating func linkFailed(_ error: TransportError, _ turn: inout Turn) throws {
        if case .waiting = link.state { return }
        link.failures = link.failures &+ 1
        let next = turn.deadline(afterMilliseconds: retryDelay(failures: link.failures))
        let known = try turn.draft.link()
        var record = LinkRecord(trouble: error.reason, since: turn.now, failures: link.failures, nextTry: next)
        if let known, !known.trouble.isEmpty { record.since = known.since }
        turn.draft.put(record)
        link.troubleOnRecord = true
        if link.feedOpen || link.live {
            turn.effects.append(.closeFeed)
            link.feedClosed()
        }
        setLink(.waiting(until: next, trouble: error), &turn)
    }

    /// Something came from the server: whatever trouble there was is over.
    mutating func answerCame(_ turn: inout Turn) throws {
        // A late answer says nothing about a feed that breaks each time it is opened.
        if case .waiting = link.state { return }
        link.failures = 0
        guard link.troubleOnRecord else { return }
        link.troubleOnRecord = false
        if let known = try turn.draft.link(), !known.trouble.isEmpty {
            turn.draft.put(LinkRecord(since: turn.now))
        }
    }

    /// The server no longer takes the token of a request. Another process may have logged in since.
    mutating func sessionIsOver(_ token: String?, _ turn: inout Turn) throws {
        var account = try account(turn)
        guard account.token == token else {
            lanes.account.everythingIsStale()
            return
        }
        account.token = nil
        turn.draft.put(account)
        if link.live { turn.effects.append(.closeFeed) }
        link.feedClosed()
        setLink(.loginNeeded, &turn)
    }

    mutating func setLink(_ state: LinkState, _ turn: inout Turn) {
        guard link.state != state else { return }
        link.state = state
        turn.notice(.link(state))
    }

    /// Tries again what waited for its time.
    mutating func wakeLink(_ turn: inout Turn) throws {
        guard case .waiting(let until, _) = link.state, until.isDue(turn.moment) else { return }
        guard let token = try account(turn).token else {
            setLink(.loginNeeded, &turn)
            return
        }
        if link.live {
            setLink(.connecting, &turn)
            turn.effects.append(.openFeed(token: token))
        } else {
            try linkIsUp(&turn)
        }
    }

    /// Doubles with every failure up to a bound; half of it is jitter, so that a thousand clients do not come back at once.
    func retryDelay(failures: UInt32) -> UInt64 {
        let exponent = UInt64(min(max(failures, 1) - 1, 16))
        let delay = min(ClientLimits.retryDelayMin << exponent, ClientLimits.retryDelayMax)
        let random = entropy.bytes(2)
        let jitter = UInt64(random[0]) << 8 | UInt64(random[1])
        return delay / 2 + (delay / 2) * jitter / 0xFFFF
    }
}
