public import ConclaveProtocol
import MLS

/// Reads an account's store. It works offline, changes nothing, and may run beside a client at work.
public struct AccountReader: Sendable {
    let store: any Store

    public init(store: any Store) { self.store = store }

    var draft: Draft { Draft(store: store, base: 0) }

    /// Nil before the first login.
    public func account() throws(StoreError) -> AccountRecord? { try draft.account() }
    /// Nil before the first try to reach the server.
    public func link() throws(StoreError) -> LinkRecord? { try draft.link() }
    public func user(_ id: ID) throws(StoreError) -> UserRecord? { try draft.user(id) }
    public func groups() throws(StoreError) -> [GroupRecord] { try draft.groups() }
    public func group(_ id: ID) throws(StoreError) -> GroupRecord? { try draft.group(id) }
    /// Who is in a group; empty if nothing is known yet.
    public func membership(_ group: ID) throws(StoreError) -> MembershipRecord { try draft.membership(group) }
    public func invites() throws(StoreError) -> [InviteRecord] { try draft.invites() }
    public func revision() throws(StoreError) -> UInt64 { try store.revision() }

    /// All waiting rows, in the order they were asked for.
    public func outbox() throws(StoreError) -> [OutboxRow] { try draft.outbox().sorted { $0.order < $1.order } }

    /// One waiting row; nil once it is done or discarded.
    public func outboxRow(_ group: ID, order: UInt64) throws(StoreError) -> OutboxRow? {
        try draft.outboxRow(group, order: order)
    }

    /// The groups with this name: the name on the server, the alias, or the id as text. Open groups come first.
    public func groups(named name: String) throws(StoreError) -> [GroupRecord] {
        let all = try groups()
        let exact = all.filter { $0.name == name || $0.id.description == name || $0.serverID?.description == name }
        let matching = exact.isEmpty ? all.filter { $0.alias == name } : exact
        return matching.filter(\.isOpen) + matching.filter { !$0.isOpen }
    }

    /// Users we invited to a group who have not answered yet.
    public func invited(to group: ID) throws(StoreError) -> [ID] {
        try draft.staged(group).compactMap {
            if case .escrow(let invitee) = $0.record.purpose { invitee } else { nil }
        }
    }

    /// A place in the history of a group, between two rows.
    public struct HistoryPosition: Hashable, Comparable, Sendable {
        fileprivate var key: [UInt8]

        public static func < (a: HistoryPosition, b: HistoryPosition) -> Bool { a.key.lexicographicallyPrecedes(b.key) }
    }

    /// The place after the row with this number, whether there is such a row or not.
    ///
    /// - Parameter era: the numbering that is meant. Nil means the last one that got as far as the number or, if none
    ///   did, the present one.
    /// - Returns: nil for the beginning, which is after number 0 of no numbering in particular.
    public func position(after sequence: UInt64, era: UInt32? = nil, in group: GroupRecord) throws(StoreError)
        -> HistoryPosition?
    {
        if sequence == 0, era == nil { return nil }
        var numbering = group.era
        if let era {
            numbering = era
        } else if let reaching = try draft.lastEra(group.id, reaching: sequence) {
            numbering = reaching
        }
        return HistoryPosition(key: Keys.history(group.id, era: numbering, sequence: sequence))
    }

    /// At most `limit` rows of a group's history, in order, after `position` or, if it is nil, from the beginning.
    public func history(_ group: ID, after position: HistoryPosition? = nil, limit: Int) throws(StoreError)
        -> [(position: HistoryPosition, row: HistoryRow)]
    {
        let lower = position.map { $0.key + [0] } ?? group.bytes
        let page = try store.page(
            .history, from: lower, below: Record.key(afterPrefix: group.bytes), limit: limit, descending: false)
        return try page.rows()
    }

    /// The server's time, in Unix seconds, of the nearest row that is before another one in the log and is not by
    /// `user`. Nil if there is none near.
    public func timeBefore(_ row: HistoryRow, notOf user: ID?, in group: ID) throws(StoreError) -> UInt64? {
        guard let sequence = row.sequence else { return nil }
        let page = try store.page(
            .history, from: Keys.history(group, era: row.era, sequence: 0),
            below: Keys.history(group, era: row.era, sequence: sequence), limit: 16, descending: true)
        return try page.rows().first { $0.row.sender != user }?.row.time
    }

    /// At most `limit` rows from the end of a group's history, in order.
    public func lastHistory(_ group: ID, limit: Int) throws(StoreError)
        -> [(position: HistoryPosition, row: HistoryRow)]
    {
        let page = try store.page(
            .history, from: group.bytes, below: Record.key(afterPrefix: group.bytes), limit: limit, descending: true)
        return try page.reversed().rows()
    }
}

extension Sequence<Record> {
    fileprivate func rows() throws(StoreError) -> [(position: AccountReader.HistoryPosition, row: HistoryRow)] {
        var rows: [(position: AccountReader.HistoryPosition, row: HistoryRow)] = []
        for record in self {
            rows.append((.init(key: record.key), try HistoryRow(stored: record.value)))
        }
        return rows
    }
}

/// What a group's keys say about it.
public struct GroupDetails: Hashable, Sendable {
    /// A member, as their leaf in the tree says.
    public struct Person: Hashable, Sendable {
        public var user: ID
        /// Position in the ratchet tree.
        public var leaf: UInt32
        /// Lower-case hex SHA-256 of the signature key in the leaf.
        public var fingerprint: String
    }

    public var epoch: UInt64
    /// The same for all members who are in the same state (RFC 9420 §8.7); lower-case hex.
    public var epochAuthenticator: String
    public var members: [Person]
}

extension ClientCore {
    /// Nil for a group without keys.
    public mutating func details(of group: ID) throws -> GroupDetails? {
        let turn = Turn(
            draft: Draft(store: store, base: try store.revision()), now: Moment(wall: Instant(milliseconds: 0)))
        if turn.draft.changes.base != revision { groups.removeAll() }
        return try withGroup(group, turn) { [sha256] state in
            GroupDetails(
                epoch: state.epoch, epochAuthenticator: hexEncode(state.epochAuthenticator.unwipedCopy),
                members: state.members.compactMap { member in
                    ID(member.identity).map {
                        .init(user: $0, leaf: member.index.value, fingerprint: hexEncode(sha256(member.signatureKey)))
                    }
                })
        }
    }
}
