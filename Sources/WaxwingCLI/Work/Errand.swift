import ConclaveProtocol
import WaxwingClient
import WaxwingCore

/// Something that was asked for, on its way: it waits in the outbox, and this tries to see it done within the time people give it.
struct Errand {
    /// What became of a row.
    enum Outcome: Hashable, Sendable {
        /// Carried out. For a message its sequence number is given, as far as it is known.
        case done(sequence: UInt64?)
        /// It waits, and why.
        case waiting(String)
        /// Refused for good, and why.
        case failed(String)
    }

    let profile: Profile
    let client: Client
    let patience: WaitOptions
    private let reader: AccountReader

    init(_ profile: Profile, _ client: Client, _ patience: WaitOptions) {
        self.profile = profile
        self.client = client
        self.patience = patience
        reader = client.reader
    }

    /// Queues what `commands` ask for, one after the other, and tries to carry it out.
    ///
    /// - Returns: for each command the row that stood for it, and what became of it.
    /// - Throws: where something cannot even be queued; the error says what stays queued all the same.
    func run(_ commands: [Command]) async throws -> [(row: OutboxRow, outcome: Outcome)] {
        try await carryOut(try await queue(commands))
    }

    /// Puts what `commands` ask for into the outbox, one after the other.
    ///
    /// - Throws: where something cannot be queued; the error says what stays queued all the same.
    func queue(_ commands: [Command]) async throws -> [OutboxRow] {
        var rows: [OutboxRow] = []
        for command in commands {
            do {
                let before = try reader.revision()
                if let row = try await client.queue(command, since: before) { rows.append(row) }
            } catch {
                throw Self.told(error, behind: rows)
            }
        }
        return rows
    }

    /// Tries to carry out rows of one group, given in their order.
    func carryOut(_ rows: [OutboxRow]) async throws -> [(row: OutboxRow, outcome: Outcome)] {
        guard let last = rows.last else { return [] }
        if patience.queue {
            return rows.map { ($0, .waiting("nothing was tried, as you asked for")) }
        }
        let deadline = Moment.now.deadline(afterMilliseconds: UInt64(patience.wait * 1000))
        var pause: String?
        while pause == nil, try pending(last) != nil, !deadline.isDue(.now) {
            do {
                pause = try await attempt(last, until: deadline)
            } catch {
                pause = try Self.pause(error, rows)
            }
        }
        let left = try OutboxList(reader)
        let places = try sequences(of: rows)
        return try rows.map { ($0, try outcome(of: $0, left, places, otherwise: pause)) }
    }

    /// One try, by this process or the one that is connected already.
    ///
    /// - Returns: why there is no use in trying on; nil where there may be.
    private func attempt(_ row: OutboxRow, until deadline: Deadline) async throws -> String? {
        guard let lease = try ConnectionLease.take(path: profile.leasePath) else {
            // Another process is connected and sees the row at once.
            if let trouble = try reader.link()?.trouble, !trouble.isEmpty { return trouble }
            try await Surroundings.current.sleep(50)
            return nil
        }
        defer { withExtendedLifetime(lease) {} }
        let alarm = Task { [client] in
            try await Task.sleep(for: .milliseconds(deadline.left(.ofMachine)))
            client.stop()
        }
        defer { alarm.cancel() }
        switch try await client.run(live: false, until: row.intent.goal(row)) {
        case .loginNeeded: return "the session is over: log in again with `waxwing login`"
        case .waiting(_, let trouble): return trouble?.reason ?? "the server cannot be reached"
        case .off, .connecting, .up: break
        }
        guard let current = try pending(row) else { return nil }
        // It was put off, as after a lost race: worth waiting for where its time comes soon.
        let now = Moment.now
        guard let wait = current.notBefore?.left(now), wait > 0 else { return nil }
        guard wait < deadline.left(now) else {
            return current.trouble.isEmpty ? "its time has not come yet" : current.trouble
        }
        try await Surroundings.current.sleep(wait)
        return nil
    }

    /// The row that still has to be done before `row` counts as carried out; nil where it is, or never will be.
    private func pending(_ row: OutboxRow) throws -> OutboxRow? {
        if let current = try reader.outboxRow(row.group, order: row.order) { return current.isFailed ? nil : current }
        // An accepted invite whose Welcome leads nowhere goes on as another row, which comes in from outside.
        guard case .accept = row.intent, try reader.group(row.group)?.status == .keyless else { return nil }
        return try reader.outbox().first { $0.group == row.group && !$0.isFailed }
    }

    private func outcome(
        of row: OutboxRow, _ left: OutboxList, _ places: [MessageID: UInt64], otherwise pause: String?
    ) throws -> Outcome {
        guard let current = left.row(row.order) else {
            guard case .message(_, let id) = row.intent else { return .done(sequence: nil) }
            return .done(sequence: places[id])
        }
        if case .failed(let reason) = current.state { return .failed(reason) }
        return .waiting(try pause ?? left.why(current))
    }

    /// Where messages of ours stand in the log, as far as they are among the last of their group.
    private func sequences(of rows: [OutboxRow]) throws -> [MessageID: UInt64] {
        guard let group = rows.first?.group else { return [:] }
        var places: [MessageID: UInt64] = [:]
        for (_, row) in try reader.lastHistory(group, limit: max(500, 2 * rows.count)) {
            if let id = row.messageID { places[id] = row.sequence }
        }
        return places
    }
}

extension Intent {
    /// When there is nothing more to wait for. Whoever comes into a group wants to see its members, too.
    fileprivate func goal(_ row: OutboxRow) -> Client.Goal {
        switch self {
        case .create, .accept, .rejoin: .settled
        default: .rowDone(group: row.group, order: row.order)
        }
    }
}
