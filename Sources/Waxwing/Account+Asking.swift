public import ConclaveProtocol
import WaxwingClient
public import WaxwingCore

/// What an account can be asked for. Every request is on disk on return, with or without a network, and is carried out
/// when there is a connection.
extension Account {
    /// Makes a group with this account as its only member.
    ///
    /// - Parameters:
    ///   - name: letters, digits and underscores.
    ///   - alias: a name to show instead.
    /// - Throws: `CoreError` `invalidInput`, `StoreError`.
    @discardableResult
    public func createGroup(_ name: String, alias: String = "") async throws -> OutboxRow {
        try await queue(.createGroup(name: name, alias: alias))
    }

    /// Queues a message.
    ///
    /// - Parameter text: at most 256 KiB of UTF-8.
    /// - Returns: the outbox row that stands for it until it is sent.
    /// - Throws: `CoreError` `unknownGroup`, `groupClosed` or `invalidInput`; `StoreError`.
    @discardableResult
    public func send(_ text: String, to group: ID) async throws -> OutboxRow {
        try await queue(.send(group: group, text: text))
    }

    /// Invites someone to a group.
    @discardableResult
    public func invite(_ username: String, to group: ID) async throws -> OutboxRow {
        try await queue(.invite(group: group, username: username))
    }

    /// Removes a member from a group, or withdraws an invite.
    @discardableResult
    public func remove(_ username: String, from group: ID) async throws -> OutboxRow {
        try await queue(.remove(group: group, username: username))
    }

    /// Leaves a group. The history is kept.
    @discardableResult
    public func leave(_ group: ID) async throws -> OutboxRow { try await queue(.leave(group: group)) }

    /// Accepts an invite.
    @discardableResult
    public func accept(_ invite: InviteRecord) async throws -> OutboxRow { try await queue(.accept(invite: invite.id)) }

    /// Declines an invite.
    @discardableResult
    public func decline(_ invite: InviteRecord) async throws -> OutboxRow {
        try await queue(.decline(invite: invite.id))
    }

    /// Changes this account's keys in a group (RFC 9420 §12.1.2).
    @discardableResult
    public func rotateKeys(in group: ID) async throws -> OutboxRow { try await queue(.rotate(group: group)) }

    /// Tries to get rows of one group carried out, by this process or by the one that is connected.
    ///
    /// - Parameter patience: how long to wait for it.
    /// - Throws: ``PartlyQueued`` if there is no use in waiting.
    public func outcomes(of rows: [OutboxRow], within patience: Duration = .seconds(5)) async throws -> [Outcome] {
        let (seconds, rest) = patience.components
        // A day is as good as for ever.
        let milliseconds = UInt64(min(max(0, seconds), 86_400)) * 1000 + UInt64(max(0, rest) / 1_000_000_000_000_000)
        return try await Errand(self, patience: milliseconds).carryOut(rows).map(\.outcome)
    }

    private func queue(_ command: Command) async throws -> OutboxRow {
        guard let row = try await client.queue(command, since: reader.revision()) else {
            throw CoreError.requestLost
        }
        return row
    }

    // MARK: What is known

    /// All groups, including those that are over.
    public func groups() throws -> [GroupRecord] { try reader.groups() }

    /// - Parameter name: the group's name, alias or id.
    /// - Throws: `CoreError` `unknownGroup` if there is none, or more than one that is open; `StoreError`.
    public func group(named name: String) throws -> GroupRecord {
        let found = try reader.groups(named: name)
        guard let group = found.first else { throw CoreError.unknownGroup }
        guard found.count(where: \.isOpen) <= 1 else {
            throw CoreError.ambiguousGroup
        }
        return group
    }

    /// Invites that wait for an answer.
    public func invites() throws -> [InviteRecord] { try reader.invites() }

    /// The members of a group according to its ratchet tree, and how far this account trusts each; nil if nothing is
    /// known.
    public func room(of group: ID) throws -> RoomRecord? { try reader.room(group) }

    /// What a user is called here; nil if nothing is known of them.
    public func username(of user: ID) throws -> String? { try reader.user(user)?.name }

    /// A page of a group's history, the oldest first.
    ///
    /// - Parameters:
    ///   - position: where the page before ended; nil for the beginning.
    ///   - limit: rows at most.
    public func history(
        of group: ID, after position: AccountReader.HistoryPosition? = nil, limit: Int = 100
    ) throws -> [(position: AccountReader.HistoryPosition, row: HistoryRow)] {
        try reader.history(group, after: position, limit: limit)
    }

    /// The last rows of a group's history, the oldest first.
    public func lastHistory(of group: ID, limit: Int = 100) throws -> [HistoryRow] {
        try reader.lastHistory(group, limit: limit).map(\.row)
    }

    // MARK: The outbox

    /// The rows of the outbox, in the order they were asked for.
    public func outbox() throws -> [OutboxRow] { try reader.outbox() }

    /// Retries a row that was refused, or that waits for its time.
    public func retry(_ row: OutboxRow) async throws { try await client.perform(.retry(order: row.order)) }

    /// Gives up a row, with the text it holds.
    public func discard(_ row: OutboxRow) async throws {
        try await client.perform(.discard(order: row.order)) { reader in
            try !reader.outbox().contains { $0.order == row.order }
        }
    }

    // MARK: Trust

    /// How often the account asks a person about the members of a group.
    public func trust(in group: ID? = nil) throws -> TrustLevel {
        try group.flatMap { try reader.room($0)?.trust } ?? reader.trust()
    }

    /// - Parameter group: nil for all groups that have no level of their own.
    public func setTrust(_ level: TrustLevel?, in group: ID? = nil) async throws {
        try await client.perform(.trust(level, group: group))
    }

    /// Accepts a member with the key that was shown: messages may reach them.
    ///
    /// - Throws: `CoreError` `notAllowed` if the member has another key by now.
    public func accept(_ member: RoomRecord.Leaf, in group: ID) async throws {
        try await client.perform(.acceptMember(group: group, user: member.user, fingerprint: member.fingerprint))
    }

    /// Trusts a user's key that was compared by hand.
    ///
    /// - Parameter fingerprint: lower-case hex SHA-256 of their public signature key, as they gave it.
    /// - Throws: `CoreError` `unknownUser` if no such key of theirs was seen.
    public func verify(_ user: ID, fingerprint: String) async throws {
        try await client.perform(.verify(user: user, fingerprint: fingerprint))
    }

    /// Notes that the person was shown these members of a group, whose keys are new. Messages that waited only for that
    /// go out.
    public func noteShown(_ members: [RoomRecord.Leaf], in group: ID) async throws {
        let epochs = Dictionary(members.map { ($0.user, $0.epoch) }) { max($0, $1) }
        try await client.perform(.toldOfMembers(group: group, epochs))
    }
}
