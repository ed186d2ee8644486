import ConclaveProtocol
import MLS

/// Where each kind of record is. All keys are built here and nowhere else.
enum Keys {
    static let account: [UInt8] = Array("account".utf8)
    static let link: [UInt8] = Array("link".utf8)
    static let trust: [UInt8] = Array("trust".utf8)
    static let rosterSeen: [UInt8] = Array("roster-seen".utf8)
    /// Users whose pinned key came back after another had taken its place.
    static func contested(_ user: ID) -> [UInt8] { Array("contested ".utf8) + user.bytes }
    /// Names that the server gives users now, if they are not the pinned ones.
    static func claimedName(_ user: ID) -> [UInt8] { Array("claimed-name ".utf8) + user.bytes }
    static let nextOrder: [UInt8] = Array("next-order".utf8)

    /// History rows sort by numbering, then sequence. What is not in the log yet sorts after everything else, in outbox
    /// order.
    static func history(_ group: ID, era: UInt32, sequence: UInt64) -> [UInt8] {
        group.bytes + [UInt8(era >> 24 & 0xFF), UInt8(era >> 16 & 0xFF), UInt8(era >> 8 & 0xFF), UInt8(era & 0xFF)]
            + keyBytes(sequence)
    }

    static func pendingHistory(_ group: ID, order: UInt64) -> [UInt8] {
        group.bytes + [0xFF, 0xFF, 0xFF, 0xFF] + keyBytes(order)
    }

    /// Joining a group again goes before everything that needs its keys, and new keys that no one asked for go before
    /// what is sent with them; otherwise rows go in the order of asking.
    static func outbox(_ group: ID, order: UInt64, _ rank: OutboxRank) -> [UInt8] {
        switch rank {
        case .comingBack: urgent(group) + keyBytes(order)
        // After all that join again: no order has its highest bit set.
        case .ownKeys: urgent(group) + [0x80] + keyBytes(order)
        case .asked: group.bytes + [1] + keyBytes(order)
        }
    }

    enum OutboxRank: CaseIterable { case asked, comingBack, ownKeys }

    static func urgent(_ group: ID) -> [UInt8] { group.bytes + [0] }

    /// Rows to apply are under 0, in log order.
    static func inbox(_ group: ID) -> [UInt8] { group.bytes + [0] }

    /// The place in the history of a group that a row to apply will take.
    static func history(ofInbox key: [UInt8]) -> [UInt8] { Array(key.prefix(16) + key.dropFirst(17)) }

    static func inbox(_ group: ID, era: UInt32, sequence: UInt64) -> [UInt8] {
        inbox(group) + history(group, era: era, sequence: sequence).dropFirst(16)
    }

    /// Rows parked for a later epoch are under 1, by epoch.
    static func parked(_ group: ID) -> [UInt8] { group.bytes + [1] }

    static func parked(_ group: ID, epoch: UInt64, era: UInt32, sequence: UInt64) -> [UInt8] {
        parked(group) + keyBytes(epoch) + history(group, era: era, sequence: sequence).dropFirst(16)
    }

    /// Commits whose epoch may be the present one are kept under 2 while there are no keys, by epoch: a GroupInfo tells
    /// whose they are.
    static func witness(_ group: ID) -> [UInt8] { group.bytes + [2] }
    static func witness(_ group: ID, epoch: UInt64) -> [UInt8] { witness(group) + keyBytes(epoch) }

    static func seen(_ group: ID, digest: [UInt8]) -> [UInt8] { group.bytes + [0] + digest }
    static func seen(_ group: ID, sender: ID, message: MessageID) -> [UInt8] {
        group.bytes + [1] + sender.bytes + message.bytes
    }

    static func seen(_ group: ID, welcome digest: [UInt8]) -> [UInt8] { group.bytes + [2] + digest }

    /// Marks that the log has a commit of this epoch that does not count.
    static func seen(_ group: ID, deadCommitOf epoch: UInt64) -> [UInt8] { group.bytes + [3] + keyBytes(epoch) }

    static func staged(_ group: ID, digest: [UInt8]) -> [UInt8] { group.bytes + digest }

    /// Beside the membership, which is under the group's id.
    static func epoch(_ group: ID) -> [UInt8] { group.bytes + [1] }
    static func unprovenPins(_ group: ID) -> [UInt8] { group.bytes + [2] }
    /// Where the whole record once was in one piece.
    static func room(_ group: ID) -> [UInt8] { group.bytes + [3] }
    static func roomHead(_ group: ID) -> [UInt8] { group.bytes + [6] }
    static func roomLeaves(_ group: ID) -> [UInt8] { group.bytes + [0x21] }
    static func roomLeaves(_ group: ID, _ block: UInt32) -> [UInt8] { roomLeaves(group) + keyBytes(UInt64(block)) }
    static func roomBefore(_ group: ID) -> [UInt8] { group.bytes + [4] }
    static func decided(_ group: ID) -> [UInt8] { group.bytes + [5] }
    static func ownKeys(_ group: ID) -> [UInt8] { group.bytes + [0x20] }
}

extension Draft {
    func record<R: StoredRecord>(_ table: Table, _ key: [UInt8], as _: R.Type = R.self) throws(StoreError) -> R? {
        guard let bytes = try value(table, key) else { return nil }
        return try R(stored: bytes)
    }

    mutating func put(_ table: Table, _ key: [UInt8], _ record: some StoredRecord) {
        put(table, key, record.stored)
    }

    // MARK: Account

    func account() throws(StoreError) -> AccountRecord? { try record(.account, Keys.account) }
    mutating func put(_ account: AccountRecord) { put(.account, Keys.account, account) }

    func link() throws(StoreError) -> LinkRecord? { try record(.account, Keys.link) }
    mutating func put(_ link: LinkRecord) { put(.account, Keys.link, link) }

    /// The next number for an outbox row; never handed out twice.
    mutating func takeOrder() throws(StoreError) -> UInt64 {
        let stored = try value(.account, Keys.nextOrder) ?? []
        let order = stored.reduce(UInt64(0)) { $0 << 8 | UInt64($1) } + 1
        put(.account, Keys.nextOrder, keyBytes(order))
        return order
    }

    // MARK: Users

    func user(_ id: ID) throws(StoreError) -> UserRecord? { try record(.user, id.bytes) }
    mutating func put(_ user: UserRecord, for id: ID) { put(.user, id.bytes, user) }

    // MARK: Groups

    func group(_ id: ID) throws(StoreError) -> GroupRecord? { try record(.group, id.bytes) }

    func groups() throws(StoreError) -> [GroupRecord] {
        var groups: [GroupRecord] = []
        for stored in try page(.group, prefix: []) { groups.append(try GroupRecord(stored: stored.value)) }
        return groups
    }

    mutating func put(_ group: GroupRecord) {
        put(.group, group.id.bytes, group)
    }

    /// Who is in a group; empty if nothing is known yet.
    func membership(_ group: ID) throws(StoreError) -> MembershipRecord {
        if let membership = decoded.memberships[group] { return membership }
        return try record(.membership, group.bytes) ?? MembershipRecord()
    }

    /// Reads who is in a group, and keeps it in memory for the next reader.
    mutating func rememberMembership(_ group: ID) throws(StoreError) -> MembershipRecord {
        let membership = try membership(group)
        decoded.memberships[group] = membership
        return membership
    }

    mutating func put(_ membership: MembershipRecord, for group: ID) {
        decoded.memberships[group] = membership
        put(.membership, group.bytes, membership)
    }

    /// Notes a commit that is in the log.
    mutating func note(_ commit: LoggedCommit, in group: ID) throws(StoreError) {
        var membership = try membership(group)
        membership.log.note(commit)
        put(membership, for: group)
    }

    // MARK: Outbox

    func outboxRow(_ group: ID, order: UInt64) throws(StoreError) -> OutboxRow? {
        for rank in Keys.OutboxRank.allCases {
            if let row: OutboxRow = try record(.outbox, Keys.outbox(group, order: order, rank)) { return row }
        }
        return nil
    }

    /// The rows of one group in order; of all groups if it is nil.
    func outbox(_ group: ID? = nil) throws(StoreError) -> [OutboxRow] {
        var rows: [OutboxRow] = []
        for stored in try page(.outbox, prefix: group?.bytes ?? []) { rows.append(try OutboxRow(stored: stored.value)) }
        return rows
    }

    /// The rows that are to bring us into a group from outside, now or later.
    func comingBack(_ group: ID) throws(StoreError) -> [OutboxRow] {
        var rows: [OutboxRow] = []
        for stored in try page(.outbox, prefix: Keys.urgent(group)) {
            let row = try OutboxRow(stored: stored.value)
            if !row.isFailed, row.intent == .rejoin { rows.append(row) }
        }
        return rows
    }

    /// What to do next about a group's outbox.
    enum OutboxHead {
        case row(OutboxRow)
        case wait(Deadline)
        case nothing

        var row: OutboxRow? { if case .row(let row) = self { row } else { nil } }
    }

    /// The first row that has not failed. A row that waits for its time lets others pass, but messages keep their
    /// order.
    func outboxHead(_ group: ID, now: Moment) throws(StoreError) -> OutboxHead {
        // Failed and waiting rows stay in place. There are few of them, so small steps do.
        var limit = 4
        while true {
            let page = try page(.outbox, prefix: group.bytes, limit: limit)
            var earliest: Deadline?
            for stored in page {
                let row = try OutboxRow(stored: stored.value)
                if row.isFailed || row.state == .held { continue }
                guard let notBefore = row.notBefore, !notBefore.isDue(now) else { return .row(row) }
                if notBefore.uptime < earliest?.uptime ?? .max { earliest = notBefore }
                if !row.intent.letsOthersPass { return .wait(notBefore) }
            }
            if page.count < limit { return earliest.map { .wait($0) } ?? .nothing }
            limit *= 4
        }
    }

    mutating func put(_ row: OutboxRow) {
        put(.outbox, key(row), row)
        notices.append(.outbox(row))
    }

    mutating func deleteOutbox(_ row: OutboxRow) {
        delete(.outbox, key(row))
    }

    private func key(_ row: OutboxRow) -> [UInt8] {
        switch row.intent {
        case .rejoin: Keys.outbox(row.group, order: row.order, .comingBack)
        case .rotate where !row.isByPerson: Keys.outbox(row.group, order: row.order, .ownKeys)
        default: Keys.outbox(row.group, order: row.order, .asked)
        }
    }

    // MARK: History

    /// Puts a row at its place and tells those who watch.
    mutating func putHistory(_ row: HistoryRow, in group: GroupRecord) {
        let key =
            if let sequence = row.sequence {
                Keys.history(group.id, era: row.era, sequence: sequence)
            } else {
                Keys.pendingHistory(group.id, order: row.outboxOrder ?? 0)
            }
        put(.history, key, row)
        notices.append(.history(group: group.id, row))
    }

    /// Puts the line for what a row of the log did.
    mutating func putLine(
        _ events: [SystemEvent], of row: InboxRow, _ digest: [UInt8], by sender: ID, epoch: UInt64,
        in group: GroupRecord
    ) {
        putHistory(
            HistoryRow(
                sequence: row.sequence, era: row.era, sender: sender, time: row.time, content: .system(events),
                epoch: epoch, digest: digest),
            in: group)
    }

    /// Puts the line for a message that was opened.
    mutating func putLine(
        _ message: ApplicationMessage, of row: InboxRow, _ digest: [UInt8], by sender: ID, hasOtherKey: Bool = false,
        in group: GroupRecord
    ) {
        putHistory(
            HistoryRow(
                sequence: row.sequence, era: row.era, sender: sender, time: row.time,
                content: .text(String(decoding: message.plaintext, as: UTF8.self)), hasOtherKey: hasOtherKey,
                epoch: message.epoch, generation: message.generation,
                messageID: MessageID(message.authenticatedData), digest: digest),
            in: group)
    }

    /// The highest sequence number in the group's history under one numbering.
    func lastSequence(_ group: ID, era: UInt32) throws(StoreError) -> UInt64? {
        let prefix = Array(Keys.history(group, era: era, sequence: 0).prefix(20))
        guard let last = try last(.history, prefix: prefix) else { return nil }
        return try HistoryRow(stored: last.value).sequence
    }

    /// The last numbering that has a row in the group's history.
    func lastEra(_ group: ID) throws(StoreError) -> UInt32? {
        let waiting = Array(Keys.pendingHistory(group, order: 0).prefix(20))
        let page = try store.page(.history, from: group.bytes, below: waiting, limit: 1, descending: true)
        return try page.first.map { record throws(StoreError) in try HistoryRow(stored: record.value).era }
    }

    /// The last numbering with a row of this number or a higher one.
    func lastEra(_ group: ID, reaching sequence: UInt64) throws(StoreError) -> UInt32? {
        var end = Array(Keys.pendingHistory(group, order: 0).prefix(20))
        while let last = try store.page(.history, from: group.bytes, below: end, limit: 1, descending: true).first {
            let row = try HistoryRow(stored: last.value)
            if let highest = row.sequence, highest >= sequence { return row.era }
            end = Keys.history(group, era: row.era, sequence: 0)
        }
        return nil
    }

    func pendingHistory(_ group: ID, order: UInt64) throws(StoreError) -> HistoryRow? {
        try record(.history, Keys.pendingHistory(group, order: order))
    }

    // MARK: What was seen

    func seen(_ group: ID, digest: [UInt8]) throws(StoreError) -> SeenRecord? {
        try record(.seen, Keys.seen(group, digest: digest))
    }

    // MARK: Staged commits

    func staged(_ group: ID) throws(StoreError) -> [(digest: [UInt8], record: StagedRecord)] {
        var staged: [(digest: [UInt8], record: StagedRecord)] = []
        for stored in try page(.staged, prefix: group.bytes) {
            staged.append((Array(stored.key.dropFirst(16)), try StagedRecord(stored: stored.value)))
        }
        return staged
    }

    mutating func put(_ staged: StagedRecord, for group: ID, digest: [UInt8]) {
        put(.staged, Keys.staged(group, digest: digest), staged)
    }

    mutating func deleteStaged(_ group: ID, digest: [UInt8]) {
        delete(.staged, Keys.staged(group, digest: digest))
    }

    // MARK: Invites

    func invites() throws(StoreError) -> [InviteRecord] {
        var invites: [InviteRecord] = []
        for stored in try page(.invite, prefix: []) { invites.append(try InviteRecord(stored: stored.value)) }
        return invites
    }
}
