import ConclaveProtocol
import WaxwingClient
public import WaxwingCore

/// The outcome of a request.
public enum Outcome: Sendable {
    /// Carried out; for a message with its sequence number, if it is known.
    case done(sequence: UInt64?)
    /// It waits, and why.
    case waiting(Pause)
    /// Refused permanently, and why.
    case failed(Trouble)
    /// Held: someone is in the group whom it must not reach before a person has decided.
    case held

    public var isHeld: Bool { if case .held = self { true } else { false } }
}

/// Why something waits in the outbox. Nothing is lost.
public enum Pause: Sendable {
    /// Nothing was tried, as was asked for.
    case notTried(isSignedOut: Bool)
    /// There is no session: the server ended it (`isOver`), or someone signed out here.
    case signedOut(isOver: Bool)
    /// The server cannot be reached until then, as seen at a moment.
    case cut(TransportError, until: Deadline, seen: Moment)
    case unreachable
    /// Another process is connected, and in trouble with the server.
    case troubleElsewhere(Trouble)
    /// The disk failed when it was to be carried out.
    case disk(any Error)
    /// The row is put off, or waits for what others do, as seen at a moment.
    case putOff(OutboxRow, seen: Moment)
}

/// Queues a request, and tries to see it done within a given time.
package struct Errand {
    let account: Account
    /// Milliseconds to wait for it to be carried out; nil to queue it only.
    let patience: UInt64?
    private var client: Client { account.client }
    private var reader: AccountReader { account.reader }
    private var environment: Environment { account.environment }

    package init(_ account: Account, patience: UInt64?) {
        self.account = account
        self.patience = patience
    }

    private var now: Moment { environment.clock() }

    /// Queues what `commands` ask for, in order, and tries to carry it out.
    ///
    /// - Returns: for each command, its row and outcome.
    /// - Throws: if something cannot even be queued; the error says what stays queued anyway.
    package func run(_ commands: [Command]) async throws -> [(row: OutboxRow, outcome: Outcome)] {
        try await carryOut(try await queue(commands))
    }

    /// Puts what `commands` ask for into the outbox, in order.
    ///
    /// - Throws: if something cannot be queued; the error says what stays queued anyway.
    package func queue(_ commands: [Command]) async throws -> [OutboxRow] {
        var rows: [OutboxRow] = []
        for command in commands {
            do {
                let before = try reader.revision()
                if let row = try await client.queue(command, since: before) { rows.append(row) }
            } catch {
                throw PartlyQueued(error, rows, isAll: false)
            }
        }
        return rows
    }

    /// Tries to carry out rows of one group, given in their order.
    package func carryOut(_ rows: [OutboxRow]) async throws -> [(row: OutboxRow, outcome: Outcome)] {
        guard let last = rows.last else { return [] }
        guard let patience else {
            let isSignedOut = try reader.account()?.token == nil
            return rows.map { ($0, .waiting(.notTried(isSignedOut: isSignedOut))) }
        }
        let deadline = now.deadline(afterMilliseconds: patience)
        var pause: Pause?
        var rest: UInt64 = 250
        attempts: while pause == nil, try pending(last) != nil, !deadline.isDue(now) {
            do {
                pause = try await attempt(last, until: deadline)
            } catch {
                pause = try Self.pause(error, rows)
            }
            guard pause == nil, try pending(last) != nil else { break }
            // It is put off, or waits for what others do: do not ask again at once, nor after the given time.
            let now = now
            let wait = max(rest, await client.nextTry?.left(now) ?? 0)
            guard wait < deadline.left(now) else { break attempts }
            try await environment.sleep(wait)
            rest *= 2
        }
        let left = Dictionary(try reader.outbox().map { ($0.order, $0) }) { first, _ in first }
        let end = now
        let places = try sequences(of: rows)
        return rows.map { row in
            (row, outcome(of: row, left, places) { pause ?? .putOff($0, seen: end) })
        }
    }

    /// One attempt, by this process or by the one that is connected already.
    ///
    /// - Returns: why there is no use in trying on; nil if there may be.
    private func attempt(_ row: OutboxRow, until deadline: Deadline) async throws -> Pause? {
        guard let lease = try await lease(for: row, until: deadline) else { return try hold() }
        defer { withExtendedLifetime(lease) {} }
        try await account.lookAtPlace()
        let alarm = Task { [client] in
            try await Task.sleep(for: .milliseconds(deadline.left(.ofMachine)))
            client.stop()
        }
        defer { alarm.cancel() }
        let state = try await client.hearing {
            try await $0.run(live: false, until: row.intent.goal(row), patience: row.intent.patience(deadline))
        }
        switch state {
        case .loginNeeded:
            return .signedOut(isOver: try reader.isSessionOver)
        case .waiting(let until, let trouble):
            guard let trouble else { return .unreachable }
            return .cut(trouble, until: until, seen: now)
        case .off, .connecting, .up: return nil
        }
    }

    /// The right to connect, as soon as it is free. Nil if another process keeps it for as long as this one may wait,
    /// is in trouble with the server, or has carried out the row.
    private func lease(for row: OutboxRow, until deadline: Deadline) async throws -> Lease? {
        while true {
            if let lease = try account.lease() { return lease }
            // The other process is connected and sees the row at once.
            if try hold() != nil || pending(row) == nil || deadline.isDue(now) { return nil }
            try await environment.sleep(50)
        }
    }

    /// What keeps the connected process from carrying something out.
    private func hold() throws -> Pause? {
        guard let link = try reader.link(), let trouble = link.trouble else { return nil }
        guard let hold = link.hold(of: link.server, now) else { return .troubleElsewhere(trouble) }
        return .cut(hold.trouble, until: hold.until, seen: now)
    }

    /// The row that has to be done before `row` counts as carried out; nil if it is, or never will be.
    private func pending(_ row: OutboxRow) throws -> OutboxRow? {
        if let current = try reader.outboxRow(row.group, order: row.order) {
            return current.isFailed || current.state == .held ? nil : current
        }
        // If the Welcome of an accepted invite cannot be used, another row continues: it joins from outside.
        guard case .accept = row.intent, try reader.group(row.group)?.status == .keyless else { return nil }
        return try reader.outbox().first { $0.group == row.group && !$0.isFailed }
    }

    private func outcome(
        of row: OutboxRow, _ left: [UInt64: OutboxRow], _ places: [MessageID: UInt64], pause: (OutboxRow) -> Pause
    ) -> Outcome {
        guard let current = left[row.order] else {
            guard case .message(_, let id) = row.intent else { return .done(sequence: nil) }
            return .done(sequence: places[id])
        }
        if case .failed(let reason) = current.state { return .failed(reason) }
        if current.state == .held { return .held }
        return .waiting(pause(current))
    }

    /// The sequence numbers of our messages, if they are among the last of their group.
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
    /// When there is nothing more to wait for. Someone who joins a group wants to see its members, too.
    fileprivate func goal(_ row: OutboxRow) -> Client.Goal {
        switch self {
        case .create, .accept, .rejoin: .settled
        default: .rowDone(group: row.group, order: row.order)
        }
    }

    /// Until when to wait for rows that are put off; nil for a short while each time.
    fileprivate func patience(_ deadline: Deadline) -> Deadline? {
        switch self {
        case .create, .accept, .rejoin: nil
        default: deadline
        }
    }
}
