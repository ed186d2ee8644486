import ConclaveProtocol
import MLS

/// Trust on first use: the first key that a user shows in a group is pinned. People are told of another one later;
/// nothing is stopped silently.
extension ClientCore {
    /// Notes the key of a leaf that was not there before: as the user's, if nothing speaks against it, or else as
    /// another one that people should look at.
    ///
    /// - Parameters:
    ///   - seen: the fingerprint of the leaf's key.
    ///   - old: the leaf that was in its place.
    /// - Returns: a line if the key is not the one that was known.
    mutating func pin(
        _ seen: String, of leaf: RoomRecord.Leaf, _ relation: KeyRelation, replacing old: RoomRecord.Leaf?,
        in record: GroupRecord, _ turn: inout Turn
    ) throws -> [SystemEvent] {
        var user = try turn.draft.user(leaf.user) ?? UserRecord()
        let before = user.pin
        var events: [SystemEvent] = []
        switch relation {
        case .pinned:
            if leaf.way == .replaced, !user.changedFingerprint.isEmpty {
                // Two keys claim to be this user's: from now on, any other than the pinned one is a person's decision.
                turn.draft.put(.account, Keys.contested(leaf.user), [1])
            }
            return []
        case .unknown:
            if leaf.standing == .held || leaf.standing == .unjudged { return [] }
            user.fingerprint = seen
        case .other:
            let vouching = old.flatMap { $0.user == leaf.user ? $0.fingerprint : nil }
            if leaf.way == .keyChanged, leaf.standing == .accepted, user.fingerprint == vouching {
                user.fingerprint = seen
                user.verified = false
            } else {
                if user.changedFingerprint == seen { return [] }
                user.changedFingerprint = seen
                events.append(SystemEvent(.identityChanged, actor: leaf.user))
                turn.notice(.identityChanged(user: leaf.user))
            }
        }
        if record.entry != .proven {
            var unproven = try turn.draft.unprovenPins(of: record.id) ?? UnprovenPins()
            unproven.note(leaf.user, from: before, to: user.pin)
            turn.draft.put(unproven, for: record.id)
        }
        turn.draft.put(user, for: leaf.user)
        return events
    }

    func keyRelation(_ fingerprint: String, of user: ID, _ turn: Turn) throws -> KeyRelation {
        KeyRelation(
            fingerprint, of: try turn.draft.user(user),
            isContested: try turn.draft.value(.account, Keys.contested(user)) != nil)
    }

    /// The branch of a group is settled. If it lives, what was pinned there stays. If it is dead, its keys may be no
    /// one's, and must not stand in the way of coming back. What a person decided stays, and so does what another group
    /// shows.
    func settlePins(of group: ID, isLiving: Bool, _ turn: inout Turn) throws {
        try settleRoom(of: group, isLiving: isLiving, &turn)
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

    /// A person compared a key by hand: it is the user's, wherever it appears.
    ///
    /// - Parameter shown: the fingerprint that was compared.
    mutating func verify(_ id: ID, fingerprint shown: String, _ turn: inout Turn) throws {
        guard try turn.draft.fingerprints(of: id).contains(shown) else {
            throw CoreError.unknownKey
        }
        let known = try turn.draft.user(id) ?? UserRecord()
        var user = known
        user.pin = UnprovenPins.Pin(fingerprint: shown, verified: true)
        if user != known { turn.draft.put(user, for: id) }
        turn.draft.delete(.account, Keys.contested(id))
        try acceptEverywhere(id, fingerprint: shown, &turn)
    }

    /// The first key of a user that was accepted is theirs.
    func pinIfUnknown(_ leaf: RoomRecord.Leaf, _ turn: inout Turn) throws {
        var user = try turn.draft.user(leaf.user) ?? UserRecord()
        guard user.fingerprint.isEmpty else { return }
        user.fingerprint = leaf.fingerprint
        turn.draft.put(user, for: leaf.user)
    }
}
