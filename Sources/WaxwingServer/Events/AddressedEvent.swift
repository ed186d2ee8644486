import ConclaveProtocol
import Foundation
import SwiftProtobuf

/// An event in its wire form, and the users it is for.
struct AddressedEvent: Sendable {
    /// The serialized `ServerEvent`.
    let bytes: Data
    let addressees: [ID]

    init(_ event: WireServerEvent.OneOf_Event, addressees: [ID]) throws {
        var message = WireServerEvent()
        message.event = event
        bytes = try message.serializedData()
        self.addressees = addressees
    }

    /// One that was serialized before.
    init(bytes: Data, addressees: [ID]) {
        self.bytes = bytes
        self.addressees = addressees
    }
}

extension WireServerEvent.OneOf_Event {
    static func newMessage(in group: ID, sequence: UInt64, sender: ID) -> Self {
        .newMessage(
            .with {
                $0.groupID = group.blob
                $0.sequenceNum = sequence
                $0.senderID = sender.blob
            })
    }

    static func groupUpdate(of group: ID, _ type: WireGroupUpdateType) -> Self {
        .groupUpdate(
            .with {
                $0.groupID = group.blob
                $0.updateType = type
            })
    }

    static func welcome(to group: ID, alias: String) -> Self {
        .welcome(
            .with {
                $0.groupID = group.blob
                $0.groupAlias = alias
            })
    }

    static func memberRemoved(from group: ID, user: ID) -> Self {
        .memberRemoved(
            .with {
                $0.groupID = group.blob
                $0.removedUserID = user.blob
            })
    }

    static func identityReset(in group: ID, user: ID) -> Self {
        .identityReset(
            .with {
                $0.groupID = group.blob
                $0.userID = user.blob
            })
    }

    static func inviteDeclined(in group: ID, user: ID) -> Self {
        .inviteDeclined(
            .with {
                $0.groupID = group.blob
                $0.declinedUserID = user.blob
            })
    }

    static func inviteCancelled(in group: ID) -> Self {
        .inviteCancelled(.with { $0.groupID = group.blob })
    }

    static func groupDeleted(_ group: ID) -> Self {
        .groupDeleted(.with { $0.groupID = group.blob })
    }
}
