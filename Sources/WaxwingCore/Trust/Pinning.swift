import ConclaveProtocol
import MLS

/// Trust on first use: the key a user first shows in a group is pinned; another one later is told, and stops nothing silently.
extension ClientCore {
    /// Compares the signature keys of a group's members with those we trust. The events tell of changes.
    mutating func pin(_ members: [Member], in record: GroupRecord, _ turn: inout Turn) throws -> [SystemEvent] {
        var events: [SystemEvent] = []
        var unproven = try record.entry == .proven ? nil : turn.draft.unprovenPins(of: record.id) ?? UnprovenPins()
        let me = try account(turn).userID
        for member in members {
            guard let id = ID(member.identity), id != me else { continue }
            let seen = fingerprint(member.signatureKey)
            var user = try turn.draft.user(id) ?? UserRecord()
            // A change stays on record until a person has looked at it, even where the old key is seen again: somebody else may stand in
            // the tree under the same name.
            if user.fingerprint == seen { continue }
            let before = user.pin
            if user.fingerprint.isEmpty {
                user.fingerprint = seen
            } else {
                if user.changedFingerprint == seen { continue }
                user.changedFingerprint = seen
                user.verified = false
                events.append(SystemEvent(.identityChanged, actor: id))
                turn.notice(.identityChanged(user: id))
            }
            unproven?.note(id, from: before, to: user.pin)
            turn.draft.put(user, for: id)
        }
        if let unproven, !unproven.entries.isEmpty { turn.draft.put(unproven, for: record.id) }
        return events
    }

    /// The branch of a group is settled: what was pinned there stays if it lives. If it is dead, its keys may be no one's, and must not
    /// stand in the way of coming back. What a person decided stays, and so does what another group shows.
    func settlePins(of group: ID, isLiving: Bool, _ turn: inout Turn) throws {
        guard let unproven = try turn.draft.unprovenPins(of: group) else { return }
        turn.draft.delete(.membership, Keys.unprovenPins(group))
        if isLiving { return }
        var seenElsewhere: Set<ID> = []
        for other in try turn.draft.groups()
        where other.id != group && other.status == .active && other.entry == .proven {
            seenElsewhere.formUnion(try turn.draft.membership(other.id).tree)
        }
        for entry in unproven.entries where !seenElsewhere.contains(entry.user) {
            guard var user = try turn.draft.user(entry.user), user.pin == entry.after else { continue }
            user.pin = entry.before
            turn.draft.put(user, for: entry.user)
        }
    }

    /// A person compared the key by hand: what is shown now is trusted from now on.
    mutating func verify(_ id: ID, _ turn: inout Turn) throws {
        guard var user = try turn.draft.user(id), !user.fingerprint.isEmpty else {
            throw CoreError(.unknownUser, "no key of this user has been seen yet")
        }
        if !user.changedFingerprint.isEmpty { user.fingerprint = user.changedFingerprint }
        user.changedFingerprint = ""
        user.verified = true
        turn.draft.put(user, for: id)
    }

    // MARK: Names

    mutating func nameCame(_ username: String, alias: String, of id: ID, _ turn: inout Turn) throws {
        var user = try turn.draft.user(id) ?? UserRecord()
        guard user.username != username || user.alias != alias else { return }
        user.username = username
        user.alias = alias
        turn.draft.put(user, for: id)
    }

    /// Asks for a user's name, unless it is known.
    mutating func wantName(of id: ID, _ turn: Turn) {
        guard !lanes.account.namesUnknown.contains(id), !lanes.account.namesWanted.contains(id) else { return }
        // A record that cannot be read is no answer: the name is asked for anew.
        if let user = try? turn.draft.user(id), !user.username.isEmpty { return }
        lanes.account.namesWanted.append(id)
    }
}
