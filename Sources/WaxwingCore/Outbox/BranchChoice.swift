import ConclaveProtocol
import MLS

/// Decides which branch of the group lives. The log says that, not the higher epoch: the first valid commit of each
/// epoch counts.
extension ClientCore {
    /// How a GroupInfo of the server's relates to the branch we are on.
    enum Standing {
        /// It is the state we are in.
        case agreed
        /// Ours is the living branch, and that of the GroupInfo is behind or dead.
        case ours
        /// It is ahead of us. First see what the log has.
        case unsettled
        /// It is ahead of us, and the log does not lead there: the only way left is an external commit.
        case ahead
        /// Ours is dead.
        case lost
        /// Ours is dead, as the log is another one from this epoch on.
        case replaced(from: UInt64)

        var isOurs: Bool { if case .ours = self { true } else { false } }

        /// Where the log became another one.
        var split: UInt64? { if case .replaced(let epoch) = self { epoch } else { nil } }
    }

    /// Compares the server's GroupInfo with what we have. Called with the log read to its end.
    ///
    /// - Parameter hasEvidence: whether something besides the GroupInfo also says that commits are missing.
    mutating func standing(
        of groupInfo: [UInt8], _ record: GroupRecord, hasEvidence: Bool, _ turn: inout Turn
    ) throws -> Standing {
        let wanted = lanes[record.id].epochWanted
        lanes[record.id].epochWanted = nil
        guard let summary = try? MLSMessage.summary(of: groupInfo), let epoch = summary.epoch,
            let tag = summary.confirmationTag, summary.groupID == record.mlsGroupID,
            let ours = try ownBranch(record, turn)
        else { return .ours }
        if constantTimeEqual(tag, ours.tag) {
            try agree(on: groupInfo, record, &turn)
            return .agreed
        }
        guard let view = try? OutsideView(groupInfo: groupInfo, crypto: crypto) else { return .ours }
        let theirs = branch(of: view)
        let membership = try turn.draft.membership(record.id)
        if let split = membership.log.replacedEpoch, membership.log.isReplacement(theirs) {
            // The log decides, even if it is another one than before, provided someone we know goes by it.
            return try isAccepted(view.signer, in: record.id, turn) ? .replaced(from: split) : .ours
        }
        let base = record.joinedEpoch - min(record.joinedEpoch, 1)
        if let isLost = membership.log.isLiving(theirs, not: ours, base: base, entry: record.entry) {
            return isLost ? .lost : .ours
        }
        if record.entry != .proven, try isBypassed(view, by: ours, record, turn) { return .lost }
        guard epoch > record.epoch else {
            settleHole(record, &turn)
            return .ours
        }
        if wanted == nil {
            lanes[record.id].epochWanted = epoch
            lanes[record.id].needsFetch = true
            lanes[record.id].overlap = true
            return .unsettled
        }
        // On a dead branch, our own commits and what we refuse speak against the living one: they prove nothing if the
        // log is against ours.
        let isInQuestion = record.entry != .proven && membership.log.speaks(against: ours, not: theirs, base: base)
        if !isInQuestion, membership.log.refutes(theirs, since: base, present: record.epoch) {
            settleHole(record, &turn)
            return .ours
        }
        if record.entry != .proven {
            // Someone who is new here knows less of the group than someone who is ahead, unless that is a stranger:
            // keys are not dropped for a stranger, as there would be no way back without a person's decision. Until a
            // member acts on our branch, nothing is sent there.
            guard try isStranger(view.signer, turn) else { return .lost }
            if var record = try turn.draft.group(record.id), record.entry != .doubtful {
                record.entry = .doubtful
                turn.draft.put(record)
            }
            return .ours
        }
        let isOtherRoom = Set(membership.roster.map(\.user)) != Set(membership.tree)
        return hasEvidence || record.hasHole || isOtherRoom ? .ahead : .ours
    }

    /// Whether the branch that we joined by left out a state to which the log leads: another member vouches for that
    /// state, the commit before it is the first of its epoch, and no commit of the log that continues from there was
    /// made for it. Then we joined by a commit of someone who had parted from the others before.
    private func isBypassed(_ view: OutsideView, by ours: Branch, _ record: GroupRecord, _ turn: Turn) throws -> Bool {
        guard view.epoch > 0, view.epoch < ours.epoch, let signer = ID(view.signer.identity), signer != record.entryBy,
            try signer != account(turn).userID
        else { return false }
        let log = try turn.draft.membership(record.id).log
        guard log[view.epoch - 1].first?.tag == view.confirmationTag, !log[view.epoch].isEmpty else { return false }
        return try !isOver(view, in: record.id, turn)
    }

    private func isAccepted(_ signer: Member, in group: ID, _ turn: Turn) throws -> Bool {
        guard signer.identity != (try account(turn).userID.bytes) else { return false }
        return try turn.draft.room(group)?.standing(of: signer) == .accepted
    }

    func branch(of view: OutsideView) -> Branch {
        Branch(epoch: view.epoch, tag: view.confirmationTag, leaves: Set(view.leafKeys.map { mark($0) }))
    }

    private mutating func ownBranch(_ record: GroupRecord, _ turn: Turn) throws -> Branch? {
        try withGroup(record.id, turn) { [sha256] state in
            Branch(
                epoch: state.epoch, tag: state.confirmationTag,
                leaves: Set(state.leafKeys.map { Array(sha256($0).prefix(CommitLog.markLength)) }))
        }
    }

    /// No one is ahead of us: what left the log unseen was not a commit.
    private func settleHole(_ record: GroupRecord, _ turn: inout Turn) {
        guard record.hasHole else { return }
        var record = record
        record.hasHole = false
        turn.draft.put(record)
    }

    // MARK: Proof

    /// The server holds a GroupInfo of exactly our state.
    private mutating func agree(on groupInfo: [UInt8], _ record: GroupRecord, _ turn: inout Turn) throws {
        var record = record
        record.hasHole = false
        // A GroupInfo that does not verify proves nothing.
        if record.entry != .proven, let view = try? OutsideView(groupInfo: groupInfo, crypto: crypto),
            let signer = ID(view.signer.identity)
        {
            try prove(&record, by: signer, turn)
        }
        if record.entry == .proven, try turn.draft.group(record.id)?.entry != .proven {
            try entryIsProven(record.id, &turn)
        }
        if try record != turn.draft.group(record.id) { turn.draft.put(record) }
    }

    func entryIsProven(_ group: ID, _ turn: inout Turn) throws {
        forgetWitnesses(group, &turn)
        try settlePins(of: group, isLiving: true, &turn)
    }

    /// Another member has acted on our branch. The one who let us in may be on a dead branch themselves: their word is
    /// no proof, unless there is no one else.
    ///
    /// - Parameter fromOutside: whether they have just joined from outside.
    func prove(_ record: inout GroupRecord, by actor: ID, fromOutside: Bool = false, _ turn: Turn) throws {
        guard record.entry != .proven, actor != (try account(turn).userID) else { return }
        let leaf = try turn.draft.room(record.id)?.leaf(of: actor)
        if leaf?.standing == .held { return }
        // They may have made the tree.
        let membership = try turn.draft.membership(record.id)
        let areOthersThere = max(membership.tree.count, membership.roster.count) > 2
        if actor == record.entryBy, areOthersThere { return }
        if areOthersThere, fromOutside || leaf.map({ hasComeBehindUs($0, record, membership.log) }) ?? false {
            // They took what the server gives out, perhaps from us. So we are not alone, but whether others are
            // elsewhere is still open.
            if record.entry == .doubtful { record.entry = .unproven }
            return
        }
        record.entry = .proven
        record.entryBy = nil
    }

    /// Whether someone has joined from outside since we did.
    private func hasComeBehindUs(_ leaf: RoomRecord.Leaf, _ record: GroupRecord, _ log: CommitLog) -> Bool {
        if leaf.way == .external || leaf.way == .replaced, leaf.epoch > record.joinedEpoch { return true }
        return log.commits.contains {
            $0.isValid && $0.author == nil && $0.epoch >= record.joinedEpoch && $0.clears.contains(leaf.index)
        }
    }
}
