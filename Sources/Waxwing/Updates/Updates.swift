public import ConclaveProtocol
import Synchronization
import WaxwingClient
public import WaxwingCore

/// Something that changed, together with the cursor after it.
public struct Update: Sendable {
    /// What changed.
    public enum Change: Sendable {
        /// A line of a group's history: a message, a change made by a commit, or a row that could not be opened. This
        /// account's own lines are included, once they have their place in the log. The cursor ensures that each is
        /// given once, even across processes.
        case history(group: ID, HistoryRow)
        /// Someone invites this account to a group. The cursor ensures that it is given once.
        case invite(InviteRecord)
        /// A row of the outbox was added or changed its state. Given only for changes made by this process.
        case outbox(OutboxRow)
        /// A row of the outbox is done; a message comes with its sequence number. Given only for changes made by this
        /// process.
        case done(OutboxRow, sequence: UInt64?)
        /// The state of the connection to the server has changed. Given only for this process.
        case connection(LinkState)
        /// A user's key is not the one that was trusted. Given only for what this process sees.
        case keyChanged(user: ID)
    }

    public let change: Change
    /// The cursor after this update, for an app to keep on disk.
    public let cursor: UpdateCursor
}

extension Update.Change {
    init?(_ notice: Notice) {
        switch notice {
        case .outbox(let row): self = .outbox(row)
        case .done(let row, let sequence): self = .done(row, sequence: sequence)
        case .link(let state): self = .connection(state)
        case .identityChanged(let user): self = .keyChanged(user: user)
        default: return nil
        }
    }
}

/// The changes of an account, as they happen. Ends when its task is cancelled.
///
/// No history is read ahead: a slow reader gets the same lines and invites, later. Of the changes that only this process
/// sees, a reader who falls far behind gets the last thousand.
public struct Updates: AsyncSequence, Sendable {
    public typealias Element = Update

    let account: Account
    let cursor: UpdateCursor?

    public func makeAsyncIterator() -> Iterator { Iterator(account, cursor) }

    /// Looks at the store for each update, and waits for the next change when there is none.
    public final class Iterator: AsyncIteratorProtocol {
        private let account: Account
        private let listener: Listener
        private let number: UInt64
        private var wakes: AsyncStream<Void>.Iterator
        /// Nil before the first look at the store.
        private var cursor: UpdateCursor?
        private var ready: ArraySlice<Update> = []
        private let seen: Revision

        /// The store's revision as of the last look.
        private final class Revision: Sendable {
            private let value = Mutex<UInt64?>(nil)
            func differs(from current: UInt64?) -> Bool { value.withLock { $0 != current } }
            func set(_ current: UInt64?) { value.withLock { $0 = current } }
        }

        init(_ account: Account, _ cursor: UpdateCursor?) {
            let seen = Revision()
            let listener = Listener { [reader = account.reader] in
                // A store that cannot be read reports it at the next look.
                seen.differs(from: try? reader.revision())
            }
            self.account = account
            self.listener = listener
            self.cursor = cursor
            self.seen = seen
            number = account.bells.add(listener)
            wakes = listener.wakes.makeAsyncIterator()
        }

        deinit { account.bells.remove(number) }

        /// - Returns: nil once the task is cancelled.
        /// - Throws: `StoreError`.
        public func next() async throws -> Update? {
            while ready.isEmpty {
                ready = try await look()
                if ready.isEmpty {
                    var wakes = wakes
                    guard await wakes.next() != nil else { return nil }
                    self.wakes = wakes
                }
            }
            return Task.isCancelled ? nil : ready.removeFirst()
        }

        private func look() async throws -> ArraySlice<Update> {
            let live = listener.take()
            let before = cursor
            let (found, revision) = try await account.client.read { reader in
                // Read this first: what is written meanwhile is seen at the next look.
                let revision = try reader.revision()
                return (try Scan(before, reader), revision)
            }
            seen.set(revision)
            cursor = found.cursor
            return found.updates[...] + live.map { Update(change: $0, cursor: found.cursor) }
        }
    }
}

/// One look at a store for what has not been given yet.
struct Scan: Sendable {
    /// The number of rows given at once; the rest comes with the next look.
    private static let bound = 200

    var cursor: UpdateCursor
    var updates: [Update] = []

    /// - Parameter cursor: nil to begin with what comes after this call.
    init(_ cursor: UpdateCursor?, _ reader: AccountReader) throws {
        self.cursor = cursor ?? .beginning
        let invites = try reader.invites()
        self.cursor.keep(invites)
        for invite in invites where self.cursor.take(invite) { give(.invite(invite)) }
        for group in try reader.groups() {
            if cursor == nil {
                try begin(group, reader)
            } else if updates.count < Self.bound {
                try look(at: group, reader)
            }
        }
        if cursor == nil { updates = [] }
    }

    /// Takes everything that is there for given, but for what still has to come in between.
    private mutating func begin(_ group: GroupRecord, _ reader: AccountReader) throws {
        var place = UpdateCursor.Place(era: group.era)
        let first = group.cursor > Place.window ? group.cursor - Place.window : 0
        place.end = first
        try reader.forEachRow(of: group.id, after: reader.position(after: first, era: group.era, in: group)) { _, row in
            _ = isSettled(row, in: group) ? place.take(row) : place.takeAhead(row)
        }
        cursor.set(place, for: group.id)
    }

    private typealias Place = UpdateCursor.Place

    /// Whether a row stands where it stays. A message of ours has the number of its answer, ahead of what was fetched: the
    /// log itself says later where it stands.
    private func isSettled(_ row: HistoryRow, in group: GroupRecord) -> Bool {
        guard let sequence = row.sequence else { return true }
        return row.era != group.era || sequence <= group.cursor || !group.isOpen
    }

    private mutating func look(at group: GroupRecord, _ reader: AccountReader) throws {
        var place = cursor.place(of: group.id)
        let start = try reader.position(after: place.lookAfter, era: place.era, in: group)
        try reader.forEachRow(of: group.id, after: start, while: { updates.count < Self.bound }) { _, row in
            let isNew = isSettled(row, in: group) ? place.take(row) && !place.wasAhead(row) : place.takeAhead(row)
            guard isNew else { return }
            cursor.set(place, for: group.id)
            give(.history(group: group.id, row))
        }
        cursor.set(place, for: group.id)
    }

    private mutating func give(_ change: Update.Change) { updates.append(Update(change: change, cursor: cursor)) }
}

extension Account {
    /// Changes as they happen, including those made by another process of this profile.
    ///
    /// ```swift
    /// for try await update in account.updates(after: kept) {
    ///     if case .history(let group, let row) = update.change { show(row, in: group) }
    ///     keep(update.cursor)
    /// }
    /// ```
    ///
    /// - Parameter cursor: where to continue; nil for what comes from now on, ``UpdateCursor/beginning`` for everything
    ///   known.
    public func updates(after cursor: UpdateCursor? = nil) -> Updates {
        // "Now" is the moment of this call, not that of the first read. A store that cannot be read reports it at the
        // first look.
        Updates(account: self, cursor: cursor ?? (try? Scan(nil, reader))?.cursor)
    }
}
