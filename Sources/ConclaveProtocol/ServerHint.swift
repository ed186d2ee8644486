import SwiftProtobuf

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

    /// What about a group has changed; `other` for what a later server may report.
    public enum UpdateKind: Hashable, Sendable { case commit, settings, roles, other }
}

extension ServerHint {
    /// The longest frame that is read: in hex, twice the bytes of an event with the longest names allowed, with room to
    /// spare.
    public static let frameLength = 16 << 10

    /// Nil for an event of a kind this version does not know, or with an id that is not 16 bytes.
    package init?(event: WireServerEvent) {
        switch event.event {
        case .newMessage(let event):
            guard let group = ID(event.groupID), let sender = ID(event.senderID) else { return nil }
            self = .newMessage(group: group, sequence: event.sequenceNum, sender: sender)
        case .groupUpdate(let event):
            guard let group = ID(event.groupID) else { return nil }
            self = .groupUpdate(group: group, kind: UpdateKind(event.updateType))
        case .welcome(let event):
            guard let group = ID(event.groupID) else { return nil }
            self = .welcome(group: group)
        case .memberRemoved(let event):
            guard let group = ID(event.groupID), let user = ID(event.removedUserID) else { return nil }
            self = .memberRemoved(group: group, user: user)
        case .identityReset(let event):
            guard let group = ID(event.groupID), let user = ID(event.userID) else { return nil }
            self = .identityReset(group: group, user: user)
        case .inviteReceived(let event):
            guard let invite = ID(event.inviteID), let group = ID(event.groupID) else { return nil }
            self = .inviteReceived(invite: invite, group: group)
        case .inviteDeclined(let event):
            guard let group = ID(event.groupID), let user = ID(event.declinedUserID) else { return nil }
            self = .inviteDeclined(group: group, user: user)
        case .inviteCancelled(let event):
            guard let group = ID(event.groupID) else { return nil }
            self = .inviteCancelled(group: group)
        case .groupDeleted(let event):
            guard let group = ID(event.groupID) else { return nil }
            self = .groupDeleted(group: group)
        case nil:
            return nil
        }
    }

    /// Reads the data of one server-sent event: hexadecimal text of a ServerEvent. Nil for anything else.
    public static func decode(hexFrame: some Collection<UInt8>) -> ServerHint? {
        guard hexFrame.count <= frameLength, let bytes = hexDecode(hexFrame) else { return nil }
        return decode(bytes: bytes)
    }

    /// Reads a serialized ServerEvent of at most half of ``frameLength`` bytes. Nil for anything else.
    static func decode(bytes: some SwiftProtobufContiguousBytes) -> ServerHint? {
        guard bytes.count <= frameLength / 2, let event = try? WireServerEvent(serializedBytes: bytes) else {
            return nil
        }
        return ServerHint(event: event)
    }
}

extension ServerHint.UpdateKind {
    init(_ wire: WireGroupUpdateType) {
        self =
            switch wire {
            case .commit: .commit
            case .settings: .settings
            case .roleChange: .roles
            case .unspecified, .UNRECOGNIZED: .other
            }
    }
}
