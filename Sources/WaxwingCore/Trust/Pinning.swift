import ConclaveProtocol
import MLS

/// Trust on first use: the key a user first shows in a group is pinned; another one later is told, and stops nothing silently.
extension ClientCore {
    /// Compares the signature keys of members with those we trust. The events tell of changes.
    mutating func pin(_ members: [Member], _ turn: inout Turn) throws -> [SystemEvent] {
        var events: [SystemEvent] = []
        let me = try account(turn).userID
        for member in members {
            guard let id = ID(member.identity), id != me else { continue }
            let seen = fingerprint(member.signatureKey)
            var user = try turn.draft.user(id) ?? UserRecord()
            // A change stays on record until a person has looked at it, even where the old key is seen again: somebody else may stand in
            // the tree under the same name.
            if user.fingerprint == seen { continue }
            if user.fingerprint.isEmpty {
                user.fingerprint = seen
            } else {
                if user.changedFingerprint == seen { continue }
                user.changedFingerprint = seen
                user.verified = false
                events.append(SystemEvent(.identityChanged, actor: id))
                turn.notice(.identityChanged(user: id))
            }
            turn.draft.put(user, for: id)
        }
        return events
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
