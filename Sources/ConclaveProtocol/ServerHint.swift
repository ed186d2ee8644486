/// A server event, decoded and checked: ids are 16 bytes, the kind is one we know.
public enum ServerHint: Hashable, Sendable {
    case newMessage(group: ID, sequence: UInt64, sender: ID)
    case groupUpdate(group: ID, kind: UpdateKind)
    case welcome(group: ID)
    case memberRemoved(group: ID, user: ID)
    case identityReset(group: ID, user: ID)
    case inviteReceived(invite: ID, group: ID)
    case inviteDeclined(group: ID, user: ID)
    case inviteCancelled(group: ID)
    case groupDeleted(group: ID)

    public enum UpdateKind: Hashable, Sendable { case commit, settings, roles, other }
}
