import ConclaveProtocol

/// Whether there is a way to the server, and when to try again.
struct LinkControl: Sendable {
    var state = LinkState.off
    /// Whether events are wanted too.
    var live = false
    /// Failures since the server was last heard.
    var failures: UInt32 = 0
    /// Troubles that came so soon after one another that they count as one.
    var pressure: UInt32 = 0
    /// Trouble before this moment belongs to the last one.
    var calmAt: Deadline?
    /// What was begun is continued after the wait: the trouble was the server's, and nothing can have been missed.
    var goesOn = false
    /// Whether a trouble is on record in the store, to be cleared by the first answer.
    var troubleOnRecord = true
    private(set) var feedOpen = false

    /// Whether someone wants to talk to the server.
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
    mutating func connect(live: Bool, atOnce: Bool, _ turn: inout Turn) throws {
        let account = try account(turn)
        guard account.token != nil else {
            setLink(.loginNeeded, &turn)
            return
        }
        link.live = live
        link.goesOn = false
        lanes.forgetAll()
        // What a process that is gone was sending has an unknown outcome.
        for row in try turn.draft.outbox() where row.state == .sending { outcomeIsUnknown(row, &turn) }
        if let known = try turn.draft.link(), known.isByServer, known.trouble != nil {
            // Another process was told to wait: continue its count.
            link.pressure = known.failures
            link.calmAt = turn.deadline(afterMilliseconds: 2 * ClientLimits.retryDelayMax)
            lanes.callsMax = ClientLimits.probingCalls
            if !atOnce, let hold = known.hold(of: account.serverURL, turn.moment) {
                setLink(.waiting(until: hold.until, trouble: hold.trouble), &turn)
                return
            }
        }
        try goOnline(&turn)
    }

    /// Opens the feed, whose opening says that everything has to be looked at. Without a feed, begins to look.
    private mutating func goOnline(_ turn: inout Turn) throws {
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

    mutating func disconnect(_ turn: inout Turn) throws {
        for case .operation(_, let group, let order) in lanes.calls.sorted(by: { $0.key < $1.key }).map(\.value) {
            if let row = try turn.draft.outboxRow(group, order: order), !row.isFailed { outcomeIsUnknown(row, &turn) }
        }
        if link.live { turn.effects.append(.closeFeed) }
        link.feedClosed()
        lanes.forgetAll()
        setLink(.off, &turn)
    }

    private func outcomeIsUnknown(_ row: OutboxRow, _ turn: inout Turn) {
        var row = row
        row.state = .unconfirmed
        row.trouble = .connectionEnded
        turn.draft.put(row)
    }

    private mutating func linkIsUp(_ turn: inout Turn) throws {
        setLink(.up, &turn)
        try everythingIsStale(&turn)
    }

    /// Marks everything as stale: what happened while we were away is in the log, not in events.
    private mutating func everythingIsStale(_ turn: inout Turn) throws {
        lanes.account.everythingIsStale()
        lanes.serverIDs = [:]
        try lookAround()
        for group in try turn.draft.groups() {
            lanes[group.id].needsFetch = true
            lanes[group.id].overlap = true
            // Parked by a process that is gone, perhaps before it reached the end of the log.
            if group.parkedRows > 0 { lanes[group.id].hasParked = true }
            if group.status == .keyless { try lookAtOnce(group.id, &turn) }
            // Others may have left our branch without a trace in the log.
            if group.status == .active, group.entry != .proven {
                try lookAfterGroupInfo(of: group.id, atOnce: true, &turn)
            }
            lanes.wake(group.id)
            if try mustLookAfterInvites(group, turn) { lanes[group.id].recheckEscrows = true }
        }
        // Invites of ours may have been declined or have expired while no one told us.
        for group in try groupsWithRecords(in: .staged, marker: nil)
        where try turn.draft.staged(group).contains(where: { $0.record.isEscrow }) {
            lanes[group].recheckEscrows = true
        }
    }

    mutating func feed(_ event: FeedEvent, _ turn: inout Turn) throws {
        guard link.isOn else { return }
        switch event {
        case .opened:
            // An answer shows that the server is well. An open feed does not: a feed that polls opens by itself.
            link.feedOpened()
            try linkIsUp(&turn)
        case .lagged:
            try everythingIsStale(&turn)
        case .event(let hint):
            try hear(hint, &turn)
        }
    }

    mutating func feedEnded(_ error: TransportError?, _ turn: inout Turn) throws {
        link.feedClosed()
        guard link.isOn, link.live else { return }
        let refusal = error?.head.flatMap { APIResponse(head: $0, body: []).refusal }
        if let refusal, refusal.serverTrouble == .asksToWait || refusal.serverTrouble == .inTrouble {
            try linkFailed(TransportError(refusal), &turn)
            return
        }
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

    /// A request or the feed failed. Nothing is tried until the next try, which comes later each time, and never before
    /// the time the server asked for.
    mutating func linkFailed(_ error: TransportError, _ turn: inout Turn) throws {
        if case .waiting(let until, _) = link.state {
            // This was already under way. The server may ask for more time with it.
            guard let asked = askedDelay(error, turn), asked > until.left(turn.moment) else { return }
            try wait(turn.deadline(afterMilliseconds: asked), error, &turn)
            return
        }
        link.failures = link.failures &+ 1
        if link.calmAt.isDue(turn.moment) { link.pressure = 0 }
        link.pressure = link.pressure &+ 1
        var delay: UInt64
        if error.isByServer || error.cause == .badAnswer {
            delay = retryDelay(failures: link.pressure, from: ClientLimits.serverRetryDelayMin)
        } else {
            // Without a feed, a lost answer is soon looked for again. A feed that breaks again and again is not well
            // although it opens.
            delay = retryDelay(failures: link.live ? link.pressure : link.failures)
        }
        if let asked = askedDelay(error, turn) { delay = max(delay, asked) }
        link.calmAt = turn.deadline(afterMilliseconds: 2 * delay)
        link.goesOn = error.isByServer && (link.feedOpen || !link.live)
        if link.live, !link.goesOn {
            turn.effects.append(.closeFeed)
            link.feedClosed()
        }
        try wait(turn.deadline(afterMilliseconds: delay), error, &turn)
    }

    private mutating func wait(_ next: Deadline, _ error: TransportError, _ turn: inout Turn) throws {
        try put(error, until: next, failures: link.pressure, server: account(turn).serverURL, &turn)
        link.troubleOnRecord = true
        setLink(.waiting(until: next, trouble: error), &turn)
    }

    private mutating func put(
        _ error: TransportError, until next: Deadline, failures: UInt32, server: String, _ turn: inout Turn
    ) throws {
        let kind: LinkRecord.Kind =
            switch error.cause {
            case .askedToWait: .askedToWait
            case .serverTrouble: .serverTrouble
            case .badAnswer: .otherServer
            default: .noWay
            }
        var record = LinkRecord(
            trouble: Trouble(error), since: turn.now, failures: failures, nextTry: next, kind: kind, server: server)
        // A moment that is ahead of us was set by a clock that was wrong.
        if let known = try turn.draft.link(), known.trouble != nil, known.kind != .sessionOver,
            known.since <= turn.now
        {
            record.since = known.since
        }
        turn.draft.put(record)
    }

    /// The milliseconds the server asks to wait, and a little more, so that not all clients come back at once; nil if
    /// it does not ask.
    private func askedDelay(_ error: TransportError, _ turn: Turn) -> UInt64? {
        guard error.isByServer, let seconds = error.head?.secondsToWait(now: turn.now.seconds) else { return nil }
        let asked = min(seconds, Deadline.longest / 1000) * 1000
        return min(asked + asked / 10 * jitter() / 0xFFFF, Deadline.longest)
    }

    /// Keeps what the server said to a request made beside the client's own.
    mutating func askedDirectly(_ server: String, _ error: ProtocolError?, _ turn: inout Turn) throws {
        let known = try turn.draft.link()
        if let error, error.serverTrouble == .asksToWait {
            let failures = known?.isByServer == true ? (known?.failures ?? 0) &+ 1 : 1
            let trouble = TransportError(error)
            let delay = max(
                retryDelay(failures: failures, from: ClientLimits.serverRetryDelayMin), askedDelay(trouble, turn) ?? 0)
            try put(
                trouble, until: turn.deadline(afterMilliseconds: delay), failures: failures, server: server, &turn)
        } else if error == nil, known?.isByServer == true {
            turn.draft.put(LinkRecord(since: turn.now))
        }
    }

    /// The server was heard: whatever trouble there was is over.
    mutating func answerCame(_ turn: inout Turn) throws {
        // A late answer says nothing about a feed that breaks each time it is opened.
        if case .waiting = link.state { return }
        link.failures = 0
        lanes.callsMax = ClientLimits.concurrentCalls
        guard link.troubleOnRecord else { return }
        link.troubleOnRecord = false
        if let known = try turn.draft.link(), known.trouble != nil {
            turn.draft.put(LinkRecord(since: turn.now))
        }
    }

    /// The server no longer accepts the token of a request. Another process may have logged in since.
    mutating func sessionIsOver(_ token: SessionToken?, _ turn: inout Turn) throws {
        var account = try account(turn)
        guard account.token == token else {
            lanes.account.everythingIsStale()
            return
        }
        account.token = nil
        turn.draft.put(account)
        turn.draft.put(LinkRecord(trouble: .sessionOver, since: turn.now, kind: .sessionOver))
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
        // Send one request, and more only once it is answered.
        lanes.callsMax = ClientLimits.probingCalls
        guard link.goesOn, !link.live || link.feedOpen, try account(turn).token != nil else {
            try goOnline(&turn)
            return
        }
        setLink(.up, &turn)
    }

    /// Doubles with every failure up to a bound. A quarter of it is jitter, so that a thousand clients do not come back
    /// at once.
    func retryDelay(failures: UInt32, from first: UInt64 = ClientLimits.retryDelayMin) -> UInt64 {
        let exponent = UInt64(min(max(failures, 1) - 1, 16))
        let delay = min(first << exponent, ClientLimits.retryDelayMax)
        return delay - (delay / 4) * jitter() / 0xFFFF
    }

    /// 0 to 0xFFFF.
    private func jitter() -> UInt64 {
        let random = entropy.bytes(2)
        return UInt64(random[0]) << 8 | UInt64(random[1])
    }
}

extension TransportError {
    /// What an answer that reports trouble with the server means for the link.
    init(_ error: ProtocolError) {
        let cause: Cause =
            switch error.serverTrouble {
            case .asksToWait: .askedToWait
            case .inTrouble: .serverTrouble
            case .notOurs, nil: .badAnswer
            }
        self.init(.unknown, cause, error.reason, head: error.head)
    }
}
