import ConclaveProtocol
import MLS

/// A group while rows are applied to it.
struct OpenGroup {
    var record: GroupRecord
    /// Nil if we have no keys (yet).
    var state: Group?
    var epochChanged = false

    var id: ID { record.id }
}

/// Applies fetched rows in log order: settles what is ours, opens the rest, and keeps what cannot be opened with its
/// reason.
extension ClientCore {
    /// Applies the next rows of a group that has some waiting.
    mutating func applyWaitingRows(_ turn: inout Turn) throws {
        guard let id = lanes.backlog.keys.min() else { return }
        guard let record = try turn.draft.group(id) else {
            lanes.backlog[id] = nil
            return
        }
        let (waiting, isAll) = try waitingRows(of: id, turn)
        var group = OpenGroup(record: record, state: try takeGroup(id, turn))
        for stored in waiting {
            turn.draft.delete(.inbox, stored.key)
            try apply(InboxRow(stored: stored.value), to: &group, &turn)
        }
        lanes[id].applied += waiting.count
        let left = isAll ? 0 : max(1, lanes.backlog[id, default: 0] - waiting.count)
        lanes.backlog[id] = left == 0 ? nil : left
        if group.epochChanged { try unpark(&group, &turn) }
        try close(group, &turn)
        turn.notice(.progress(group: id, applied: lanes[id].applied, waiting: left))
        if lanes.backlog[id] == nil, !lanes[id].needsFetch { lanes[id].applied = 0 }
        lanes.ask(id)
    }

    /// The rows for one change set, limited by number and by bytes, and whether no more are waiting.
    private func waitingRows(of group: ID, _ turn: Turn) throws -> (rows: [Record], isAll: Bool) {
        let prefix = Keys.inbox(group)
        var rows: [Record] = []
        var bytes = 0
        while rows.count < ClientLimits.rowsPerChangeSet, bytes < ClientLimits.bytesPerChangeSet {
            let step = min(ClientLimits.rowsPerRead, ClientLimits.rowsPerChangeSet - rows.count)
            let page = try turn.draft.page(
                .inbox, prefix: prefix, from: rows.last.map { $0.key + [0] } ?? prefix, limit: step)
            rows += page
            bytes += page.reduce(0) { $0 + $1.value.count }
            if page.count < step { return (rows, true) }
        }
        return (rows, false)
    }

    /// Writes the group back after rows were applied.
    private mutating func close(_ group: OpenGroup, _ turn: inout Turn) throws {
        var group = group
        if let state = group.state {
            group.record.epoch = state.epoch
            if group.epochChanged { try noteTree(of: state, group.id, &turn) }
            keep(group.id, state, &turn)
        }
        if group.record.status == .active, group.record.entry == .proven,
            try turn.draft.group(group.id)?.entry != .proven
        {
            try entryIsProven(group.id, &turn)
        }
        turn.draft.put(group.record)
        if group.epochChanged {
            lanes.account.groupsStale = true
            lanes[group.id].rosterWanted = lanes.account.round + 1
            if try mustLookAfterInvites(group.record, turn) { lanes[group.id].recheckEscrows = true }
        }
    }

    /// Keeps the list of those in the tree where it can be read without the tree.
    func noteTree(of state: Group, _ group: ID, _ turn: inout Turn) throws {
        var membership = try turn.draft.membership(group)
        membership.tree = state.members.compactMap { ID($0.identity) }
        turn.draft.put(membership, for: group)
    }

    private mutating func apply(_ row: InboxRow, to group: inout OpenGroup, _ turn: inout Turn) throws {
        let digest = sha256(row.message)
        let known = try known(row, digest, in: group, turn)
        turn.draft.put(
            .seen, Keys.seen(group.id, digest: digest), SeenRecord.row(era: row.era, sequence: row.sequence))
        switch known {
        case .own(let order):
            try ownMessageArrived(order, row, digest, in: group, &turn)
            return
        case .row(let era, let sequence):
            // Either our own message, whose answer came before its row, or a second copy of something known.
            if era == row.era, sequence == row.sequence { try takeServerTime(of: row, in: group, &turn) }
            if era < row.era, sequence == row.sequence { try noteAgain(row, from: era, in: group.id, &turn) }
            if era == row.era, sequence > row.sequence {
                try takePlace(of: row, digest, insteadOf: sequence, in: group, &turn)
            }
        case .imported(let era, let sequence):
            try applyClaimed(row, digest, at: (era, sequence), to: &group, &turn)
        case nil:
            try applyNew(row, digest, to: &group, &turn)
        }
    }

    /// An archive says that this row is in the log at some place. That keeps it from being shown twice, but never from
    /// being applied: if the log has it at another place, the archive's place is given up.
    private mutating func applyClaimed(
        _ row: InboxRow, _ digest: [UInt8], at place: (era: UInt32, sequence: UInt64), to group: inout OpenGroup,
        _ turn: inout Turn
    ) throws {
        if place == (row.era, row.sequence) {
            try takeServerTime(of: row, in: group, &turn)
            try applyNew(row, digest, to: &group, &turn)
            return
        }
        // Without keys, only an archive could tell what a message says.
        if group.state == nil, let summary = try? MLSMessage.summary(of: row.message),
            summary.contentType == .application
        {
            return
        }
        try applyNew(row, digest, to: &group, &turn)
        let key = Keys.history(group.id, era: row.era, sequence: row.sequence)
        guard let line: HistoryRow = try turn.draft.record(.history, key), line.digest == digest,
            line.isReadable || line.content == .unreadable(.epochNotReached)
        else { return }
        try dropImported(at: place, for: row, in: group, &turn) { $0.digest == digest }
    }

    /// Deletes the line that an archive has for a row, if the row turned out to be elsewhere.
    func dropImported(
        at place: (era: UInt32, sequence: UInt64), for row: InboxRow, in group: OpenGroup, _ turn: inout Turn,
        where isDouble: (HistoryRow) -> Bool
    ) throws {
        if place == (row.era, row.sequence) { return }
        let key = Keys.history(group.id, era: place.era, sequence: place.sequence)
        guard let line: HistoryRow = try turn.draft.record(.history, key), isDouble(line) else { return }
        turn.draft.delete(.history, key)
    }

    private mutating func applyNew(
        _ row: InboxRow, _ digest: [UInt8], to group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        if let staged = try turn.draft.record(
            .staged, Keys.staged(group.id, digest: digest), as: StagedRecord.self)
        {
            turn.draft.deleteStaged(group.id, digest: digest)
            try ownCommitArrived(staged, row, in: &group, &turn)
            return
        }
        let summary: MessageSummary
        do {
            summary = try MLSMessage.summary(of: row.message)
        } catch {
            guard group.state != nil else { return }
            if let header = CommitHeader(row.message) {
                try applyBrokenCommit(row, digest, header, to: &group, &turn)
            } else {
                try keepUnreadable(row, digest, .malformed, epoch: 0, in: group, &turn)
            }
            return
        }
        let isOfGroup = group.record.mlsGroupID.isEmpty || summary.groupID == group.record.mlsGroupID
        if isOfGroup, let dead = try rival(of: summary, row.message, in: group.id, turn) {
            try dropStaged(dead, in: group.id, &turn)
        }
        guard group.state != nil else {
            if isOfGroup { try lookForOurPlace(row, digest, summary, in: group, &turn) }
            return
        }
        guard isOfGroup else {
            try keepUnreadable(row, digest, .wrongGroup, epoch: 0, in: group, &turn)
            return
        }
        if let present = group.state?.epoch, let epoch = summary.epoch, epoch != present,
            epoch < present || epoch - present <= ClientLimits.epochsAhead
        {
            try noteCommit(summary, row, in: group.id, &turn)
        }
        if summary.contentType == .commit, group.record.entry != .proven {
            // If our branch turns out to be dead, this tells for which state the commit was made.
            try keepWitness(row, digest, epoch: summary.epoch ?? 0, in: group.id, &turn)
        }
        switch summary.contentType {
        case .application: try applyMessage(row, digest, summary, to: &group, &turn)
        case .proposal, .commit: try applyHandshake(row, digest, summary, to: &group, &turn)
        default: try keepUnreadable(row, digest, .malformed, epoch: 0, in: group, &turn)
        }
    }

    /// What is known of a ciphertext: by its mark or, if the server has restarted its numbering, also by the row that
    /// had the same number before, since rows from an archive may have no marks.
    private func known(_ row: InboxRow, _ digest: [UInt8], in group: OpenGroup, _ turn: Turn) throws -> SeenRecord? {
        if let mark = try turn.draft.seen(group.id, digest: digest) { return mark }
        for era in (row.era - min(row.era, ClientLimits.earlierEras)..<row.era).reversed() {
            let place = Keys.history(group.id, era: era, sequence: row.sequence)
            let here: HistoryRow? = try turn.draft.record(.history, place)
            if let here, here.isReadable, here.digest == digest {
                return .imported(era: era, sequence: row.sequence)
            }
        }
        return nil
    }

    // MARK: Messages

    private mutating func applyMessage(
        _ row: InboxRow, _ digest: [UInt8], _ summary: MessageSummary, to group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        let epoch = summary.epoch ?? 0
        guard epoch >= group.record.joinedEpoch else {
            // It is late, or from people who have not come along with us.
            if group.record.joinTag.isEmpty { try doubt(group.record, &turn) }
            return
        }
        let opened: OpenedMessage
        do throws(MLSError) {
            guard let message = try group.state?.open(row.message) else { return }
            opened = message
        } catch {
            try keepUnopened(row, digest, error, epoch: epoch, in: &group, &turn)
            return
        }
        let message = opened.message
        guard let sender = ID(message.sender.identity) else {
            try keepUnreadable(row, digest, .unknownSender, epoch: epoch, in: group, &turn)
            return
        }
        let messageID = MessageID(message.authenticatedData)
        if let messageID {
            // Its sender sealed it again after the epoch changed, although the first copy had come through.
            let key = Keys.seen(group.id, sender: sender, message: messageID)
            switch try turn.draft.record(.seen, key, as: SeenRecord.self) {
            case .own, .row:
                // Any member can make such a copy under a later key, which would use up the keys before it.
                if opened.passedOver == 0 { group.state?.take(opened) }
                return
            case .imported(let era, let sequence):
                try dropImported(at: (era, sequence), for: row, in: group, &turn) {
                    $0.sender == sender && $0.messageID == messageID
                }
            case nil: break
            }
            turn.draft.put(.seen, key, SeenRecord.row(era: row.era, sequence: row.sequence))
        }
        group.state?.take(opened)
        try prove(&group.record, by: sender, turn)
        wantName(of: sender, turn)
        let pinned = try turn.draft.user(sender)?.fingerprint ?? ""
        turn.draft.putLine(
            message, of: row, digest, by: sender,
            hasOtherKey: !pinned.isEmpty && pinned != fingerprint(message.sender.signatureKey), in: group.record)
    }

    private mutating func keepUnopened(
        _ row: InboxRow, _ digest: [UInt8], _ error: MLSError, epoch: UInt64, in group: inout OpenGroup,
        _ turn: inout Turn
    ) throws {
        switch error.code {
        case .epochNotReached: try park(row, digest, epoch: epoch, in: &group, &turn)
        case .epochTooOld: try keepUnreadable(row, digest, .epochTooOld, epoch: epoch, in: group, &turn)
        case .generationReused: try keepUnreadable(row, digest, .replayed, epoch: epoch, in: group, &turn)
        case .ownMessage: try applyOwnFromElsewhere(row, digest, epoch: epoch, in: &group, &turn)
        case .malformed: try keepUnreadable(row, digest, .malformed, epoch: epoch, in: group, &turn)
        case .tooLarge: try keepUnreadable(row, digest, .tooLarge, epoch: epoch, in: group, &turn)
        case .generationTooFarAhead: try keepUnreadable(row, digest, .tooFarAhead, epoch: epoch, in: group, &turn)
        default:
            try keepUnreadable(row, digest, reason(error, epoch, group.id, turn), epoch: epoch, in: group, &turn)
            try doubt(group.record, &turn)
        }
    }

    /// Why something is invalid. Its tags cannot tell whether it was made on a dead branch of the group or is a
    /// forgery; but the log can, if it has a commit that opened such a branch.
    func reason(_ error: MLSError, _ epoch: UInt64, _ group: ID, _ turn: Turn) throws -> HistoryRow.Unreadable {
        switch error.code {
        case .malformed: return .malformed
        case .invalidTag, .invalidSignature, .decryptionFailed:
            if try isOfAnotherLog(epoch, group, turn) { return .otherLog }
            let opening = try epoch == 0 ? nil : turn.draft.value(.seen, Keys.seen(group, deadCommitOf: epoch - 1))
            return opening == nil ? .forged : .lostBranch
        default: return .forged
        }
    }

    /// Notes that a commit in the log does not count.
    func noteDead(commitOf epoch: UInt64, _ row: InboxRow, in group: ID, _ turn: inout Turn) throws {
        let key = Keys.seen(group, deadCommitOf: epoch)
        if try turn.draft.value(.seen, key) != nil { return }
        turn.draft.put(.seen, key, SeenRecord.row(era: row.era, sequence: row.sequence))
    }

    mutating func keepUnreadable(
        _ row: InboxRow, _ digest: [UInt8], _ why: HistoryRow.Unreadable, epoch: UInt64, in group: OpenGroup,
        _ turn: inout Turn
    ) throws {
        var why = why
        if why == .lostState, row.sender == (try account(turn).userID) { why = .ownLostState }
        let key = Keys.history(group.id, era: row.era, sequence: row.sequence)
        // What cannot be opened here may have come from an archive made where it could be opened.
        if let known: HistoryRow = try turn.draft.record(.history, key), known.isReadable, known.digest == digest {
            return
        }
        turn.draft.putHistory(
            HistoryRow(
                sequence: row.sequence, era: row.era, sender: row.sender, time: row.time, content: .unreadable(why),
                epoch: epoch, digest: digest),
            in: group.record)
    }

    // MARK: Rows of epochs to come

    /// Keeps a row of a future epoch, to be tried again once that epoch is reached.
    mutating func park(
        _ row: InboxRow, _ digest: [UInt8], epoch: UInt64, in group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        try keepUnreadable(row, digest, .epochNotReached, epoch: epoch, in: group, &turn)
        let bytes = group.record.parkedBytes + UInt64(row.message.count)
        // Beyond the bounds, a row stays as an unreadable line: a flood must not fill the disk.
        guard group.record.parkedRows < ClientLimits.parkedRows, bytes <= ClientLimits.parkedBytes else { return }
        group.record.parkedRows += 1
        group.record.parkedBytes = bytes
        turn.draft.put(.inbox, Keys.parked(group.id, epoch: epoch, era: row.era, sequence: row.sequence), row)
        // It does not count as seen yet: when it is tried again, it must not be taken for a second copy.
        turn.draft.delete(.seen, Keys.seen(group.id, digest: digest))
        lanes[group.id].hasParked = true
    }

    /// Puts back the parked rows whose epoch has come.
    private mutating func unpark(_ group: inout OpenGroup, _ turn: inout Turn) throws {
        let bound = Record.key(afterPrefix: Keys.parked(group.id) + keyBytes(group.record.epoch))
        let ready = try turn.draft.page(.inbox, prefix: Keys.parked(group.id)).filter { stored in
            bound.map { stored.key.lexicographicallyPrecedes($0) } ?? true
        }
        for stored in ready {
            let row = try takeParked(stored, in: &group, &turn)
            try dropUnreadable(row, in: group, &turn)
            turn.draft.put(.inbox, Keys.inbox(group.id, era: row.era, sequence: row.sequence), row)
        }
        if !ready.isEmpty { lanes.backlog[group.id, default: 0] += ready.count }
        if group.record.parkedRows == 0 { lanes[group.id].hasParked = false }
    }

    private func takeParked(_ stored: Record, in group: inout OpenGroup, _ turn: inout Turn) throws -> InboxRow {
        let row = try InboxRow(stored: stored.value)
        turn.draft.delete(.inbox, stored.key)
        group.record.parkedRows -= min(group.record.parkedRows, 1)
        group.record.parkedBytes -= min(group.record.parkedBytes, UInt64(row.message.count))
        return row
    }

    /// We have joined again another way: what was sent in the epochs between can never be opened.
    mutating func giveUpParked(in group: inout OpenGroup, _ turn: inout Turn) throws {
        lanes[group.id].hasParked = false
        for stored in try turn.draft.page(.inbox, prefix: Keys.parked(group.id)) {
            let row = try takeParked(stored, in: &group, &turn)
            let digest = sha256(row.message)
            turn.draft.put(
                .seen, Keys.seen(group.id, digest: digest), SeenRecord.row(era: row.era, sequence: row.sequence))
            // What is not an MLS message was never a message to anyone.
            if let summary = try? MLSMessage.summary(of: row.message), summary.contentType == .application {
                try keepUnreadable(row, digest, .lostState, epoch: summary.epoch ?? 0, in: group, &turn)
            } else {
                try dropUnreadable(row, in: group, &turn)
            }
        }
    }

    /// Deletes the line of a row that could not be opened. A line that an archive made readable stays.
    private func dropUnreadable(_ row: InboxRow, in group: OpenGroup, _ turn: inout Turn) throws {
        let key = Keys.history(group.id, era: row.era, sequence: row.sequence)
        guard let line: HistoryRow = try turn.draft.record(.history, key), !line.isReadable else { return }
        turn.draft.delete(.history, key)
    }

    // MARK: Our own rows

    /// A message of ours is in the log: the answer to its POST may have been lost, or may still be on its way.
    private mutating func ownMessageArrived(
        _ order: UInt64, _ row: InboxRow, _ digest: [UInt8], in group: OpenGroup, _ turn: inout Turn
    ) throws {
        // Without an outbox row, this is the second copy of a message that was sealed again.
        guard let waiting = try turn.draft.outboxRow(group.id, order: order) else { return }
        try settle(
            waiting, in: group.record, era: row.era, sequence: row.sequence, time: row.time, digest: digest, &turn)
    }
}
