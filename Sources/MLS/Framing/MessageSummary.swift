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
    /// Nil for what is no commit, and for a commit in a PrivateMessage.
    public let commit: CommitOutline?
}

extension MessageSummary {
    init(_ message: MLSMessage) {
        switch message {
        case .publicMessage(let message):
            var outline: CommitOutline?
            if case .commit(let commit) = message.content.body {
                outline = CommitOutline(commit, by: message.content.sender)
            }
            self.init(
                wireFormat: .publicMessage, groupID: message.content.groupID, epoch: message.content.epoch,
                contentType: message.content.body.type, confirmationTag: message.auth.confirmationTag,
                authenticatedData: message.content.authenticatedData, commit: outline)
        case .privateMessage(let message):
            self.init(
                wireFormat: .privateMessage, groupID: message.groupID, epoch: message.epoch,
                contentType: message.contentType, confirmationTag: nil,
                authenticatedData: message.authenticatedData, commit: nil)
        case .groupInfo(let info):
            self.init(
                wireFormat: .groupInfo, groupID: info.context.groupID, epoch: info.context.epoch, contentType: nil,
                confirmationTag: info.confirmationTag, authenticatedData: nil, commit: nil)
        case .welcome, .keyPackage:
            self.init(
                wireFormat: message.wireFormat, groupID: nil, epoch: nil, contentType: nil, confirmationTag: nil,
                authenticatedData: nil, commit: nil)
        }
    }
}
