import ConclaveProtocol
import MLS

/// Groups that the server puts us into though no one here has accepted: they are shown as invites, and nothing is
/// joined.
extension ClientCore {
    /// Whether this person wants to be in a group: they are in it, or have accepted an invite, or it was listed when
    /// they first logged in here.
    mutating func mayEnter(_ serverID: ID, _ turn: Turn) throws -> Bool {
        guard let record = try localGroup(serverID, turn) else { return false }
        switch record.status {
        case .creating, .active, .keyless: return true
        case .removed, .left, .deleted, .imported:
            return try turn.draft.outbox(record.id).contains {
                if case .accept = $0.intent { !$0.isFailed } else { false }
            }
        }
    }

    /// Shows a group as an invite. Accepting it works as for any other.
    mutating func offer(_ serverID: ID, name: String, alias: String, _ turn: inout Turn) throws {
        let known: InviteRecord? = try turn.draft.record(.invite, serverID.bytes)
        // An invite with an inviter's name tells more.
        if known == nil, try turn.draft.invites().contains(where: { $0.group == serverID }) { return }
        let offered = InviteRecord(
            unasked: serverID, name: name.isEmpty ? known?.groupName ?? "" : name,
            alias: alias.isEmpty ? known?.groupAlias ?? "" : alias)
        guard offered != known else { return }
        turn.draft.put(.invite, serverID.bytes, offered)
        if known == nil { turn.notice(.invite(offered)) }
    }

    /// Withdraws groups that were offered in this way and are no longer listed.
    func withdrawOffers(except listed: Set<ID>, _ turn: inout Turn) throws {
        for invite in try turn.draft.invites() where invite.isUnasked && !listed.contains(invite.group) {
            turn.draft.delete(.invite, invite.id.bytes)
        }
    }

    /// Whether this is the first list of groups since the login that made this profile: the groups on it were joined
    /// elsewhere.
    func isFirstRoster(_ turn: Turn) throws -> Bool { try turn.draft.value(.account, Keys.rosterSeen) == nil }
}

extension InviteRecord {
    /// A group in which the server lists us, or for which it has a Welcome, without an accepted invite.
    init(unasked group: ID, name: String, alias: String) {
        id = group
        self.group = group
        groupName = name
        groupAlias = InputRules.kept(alias: alias)
        inviter = .nobody
        inviterName = ""
        createdAt = 0
    }

    /// Whether no inviter is named.
    public var isUnasked: Bool { id == group }
}
