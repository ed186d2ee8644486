import ConclaveProtocol
import MLS

/// Checks whether a key package that the server handed out has the key that we know of its user.
extension ClientCore {
    /// What speaks against adding a user with this key; nil if nothing does. The server chooses what it hands out, so a
    /// key that is not the known one is a person's decision.
    mutating func keyTrouble(
        _ key: [UInt8], of user: ID, _ row: OutboxRow, _ turn: inout Turn
    ) throws -> Trouble? {
        let seen = fingerprint(key)
        guard var known = try turn.draft.user(user),
            case .other(let isVerified, let isContested) = try keyRelation(seen, of: user, turn)
        else { return nil }
        let level = try turn.draft.trust(in: turn.draft.room(row.group))
        if level == .follow, !isVerified, !isContested { return nil }
        if known.changedFingerprint != seen {
            known.changedFingerprint = seen
            turn.draft.put(known, for: user)
            turn.notice(.identityChanged(user: user))
        }
        return .otherKey(user: user, wasVerified: isVerified)
    }
}
