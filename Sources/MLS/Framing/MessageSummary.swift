/// What anybody can read from an MLSMessage without its group's keys. None of it has been verified.
public struct MessageSummary: Hashable, Sendable {
    public let wireFormat: WireFormat
    /// Nil for Welcome and KeyPackage.
    public let groupID: [UInt8]?
    public let epoch: UInt64?
    /// Nil for Welcome, GroupInfo and KeyPackage.
    public let contentType: ContentType?
    /// The tag of a commit in a PublicMessage, and of a GroupInfo.
    public let confirmationTag: [UInt8]?
    public let authenticatedData: [UInt8]?
}

extension MessageSummary {
    init(_ message: MLSMessage) {
        switch message {
        case .publicMessage(let message):
            self.init(
                wireFormat: .publicMessage, groupID: message.content.groupID, epoch: message.content.epoch,
                contentType: message.content.body.type, confirmationTag: message.auth.confirmationTag,
                authenticatedData: message.content.authenticatedData)
        case .privateMessage(let message):
            self.init(
                wireFormat: .privateMessage, groupID: message.groupID, epoch: message.epoch,
                contentType: message.contentType, confirmationTag: nil,
                authenticatedData: message.authenticatedData)
        case .groupInfo(let info):
            self.init(
                wireFormat: .groupInfo, groupID: info.context.groupID, epoch: info.context.epoch, contentType: nil,
                confirmationTag: info.confirmationTag, authenticatedData: nil)
        case .welcome, .keyPackage:
            self.init(
                wireFormat: message.wireFormat, groupID: nil, epoch: nil, contentType: nil, confirmationTag: nil,
                authenticatedData: nil)
        }
    }
}
