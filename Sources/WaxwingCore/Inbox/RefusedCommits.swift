import ConclaveProtocol
import MLS

/// Commits that no member can take. A server that counts commits reads only their headers: it may have counted one of
/// these for its epoch, and accepted its GroupInfo.
extension ClientCore {
    /// Puts the living GroupInfo back, and notes a row whose commit every member refuses: the group's next commit
    /// contests it (``APIRequest/contests``). If only we are shut out, the group may have gone on with that commit.
    mutating func refuse(_ row: InboxRow, everyoneSeesWhy: Bool, in group: OpenGroup, _ turn: inout Turn) throws {
        guard everyoneSeesWhy else {
            // Others may have accepted it, so first ask whether the group went on with it. Our GroupInfo would reopen
            // an epoch that is over.
            try queueOnce(.rejoin, in: group.id, &turn)
            return
        }
        var epoch = try turn.draft.epoch(of: group.record)
        epoch.note(refused: row.sequence, era: row.era)
        turn.draft.put(epoch, for: group.id)
        // A server that takes a member's word goes back to the epoch of a GroupInfo; it does so only while the row is
        // in the log.
        try lookAfterGroupInfo(of: group.id, isTold: true, &turn)
    }

    /// What someone tried with a handshake message that everyone refuses because of its content. Its signature has been
    /// verified before that. Nil if the sender cannot be known: it came in a PrivateMessage.
    ///
    /// - Returns: also who sent it; nil for someone joining from outside, whose name is only a claim.
    func tries(_ summary: MessageSummary, in group: OpenGroup) -> (sender: ID?, events: [SystemEvent])? {
        guard let state = group.state, let proposals = summary.proposal ?? summary.commit?.proposals else { return nil }
        guard let sender = summary.sender else {
            guard let newcomer = (summary.commit?.newcomer).flatMap({ ID($0.identity) }) else { return nil }
            return (nil, [SystemEvent(.triedToEnter, actor: newcomer)])
        }
        guard let actor = state.member(at: sender).flatMap({ ID($0.identity) }) else { return nil }
        var events: [SystemEvent] = []
        if proposals.hasReInit { events.append(SystemEvent(.triedToReplaceGroup, actor: actor)) }
        if proposals.hasPreSharedKeys { events.append(SystemEvent(.triedToNeedSecret, actor: actor)) }
        if proposals.changesExtensions { events.append(SystemEvent(.triedToChangeSettings, actor: actor)) }
        for leaf in proposals.removes.prefix(ClientLimits.triesShown) {
            guard let removed = state.member(at: leaf).flatMap({ ID($0.identity) }) else { continue }
            events.append(SystemEvent(.triedToRemove, actor: actor, subject: removed))
        }
        for credential in proposals.adds.prefix(ClientLimits.triesShown) {
            guard let added = ID(credential.identity) else { continue }
            events.append(SystemEvent(.triedToAdd, actor: actor, subject: added))
        }
        if events.isEmpty { events.append(SystemEvent(.triedToChange, actor: actor)) }
        return (actor, events)
    }

    /// Handles a row that begins like a commit, which is as far as a server reads, but is not an MLS message.
    mutating func applyBrokenCommit(
        _ row: InboxRow, _ digest: [UInt8], _ header: CommitHeader, to group: inout OpenGroup, _ turn: inout Turn
    ) throws {
        guard let state = group.state, header.groupID == state.groupID, header.epoch >= state.epoch else {
            try keepUnreadable(row, digest, .malformed, epoch: 0, in: group, &turn)
            return
        }
        if header.epoch > state.epoch {
            // It is in the way once that epoch is reached.
            try park(row, digest, epoch: header.epoch, in: &group, &turn)
            return
        }
        try keepUnreadable(row, digest, .malformed, epoch: header.epoch, in: group, &turn)
        try refuse(row, everyoneSeesWhy: true, in: group, &turn)
    }
}

/// What a server reads of a commit: RFC 9420 §6, the start of PublicMessage and PrivateMessage.
struct CommitHeader {
    let groupID: [UInt8]
    let epoch: UInt64

    /// Nil unless `message` begins like a commit.
    init?(_ message: [UInt8]) {
        var reader = TLSReader(message)
        do throws(MLSError) {
            guard try reader.read(UInt16.self) == 1 else { return nil }
            let wireFormat = try reader.read(UInt16.self)
            groupID = try reader.readOpaque()
            epoch = try reader.read()
            switch wireFormat {
            case 1:
                let sender = try reader.read(UInt8.self)
                guard (1...4).contains(sender) else { return nil }
                // Members and external senders have an index.
                if sender <= 2 { _ = try reader.read(UInt32.self) }
                _ = try reader.readOpaque()
            case 2: break
            default: return nil
            }
            guard try reader.read(UInt8.self) == 3 else { return nil }
        } catch {
            return nil
        }
    }
}

extension MLSError {
    /// Whether every member refuses a commit for the same reason. That is not so if something is missing here, or was
    /// sealed to this member alone: others may have accepted that commit.
    var everyoneSeesWhy: Bool {
        switch code {
        case .malformed, .invalidSignature, .invalidTag, .invalidKey, .invalidTree, .invalidLeafNode,
            .invalidKeyPackage,
            .invalidProposal, .invalidCommit, .credentialRefused:
            true
        default: false
        }
    }
}
