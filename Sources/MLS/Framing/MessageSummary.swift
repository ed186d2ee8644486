/// What anyone can read from an MLSMessage without its group's keys. Nothing is verified.
package struct MessageSummary: Hashable, Sendable {
    package let wireFormat: WireFormat
    /// Nil for Welcome and KeyPackage.
    package let groupID: [UInt8]?
    package let epoch: UInt64?
    /// Nil for Welcome, GroupInfo and KeyPackage.
    package let contentType: ContentType?
    /// The tag of a commit in a PublicMessage, and of a GroupInfo.
    package let confirmationTag: [UInt8]?
    package let authenticatedData: [UInt8]?
    /// Nil for other content than a commit, and for a commit in a PrivateMessage.
    package let commit: CommitOutline?
    /// Nil for other content than a proposal, and for one in a PrivateMessage.
    package let proposal: ProposalSummary?
    /// The leaf of the member who claims to have sent it; nil for other senders, and for other messages than a
    /// PublicMessage.
    package let sender: LeafIndex?
}

extension MessageSummary {
    init(_ message: MLSMessage) {
        switch message {
        case .publicMessage(let message):
            var (commit, proposal): (CommitOutline?, ProposalSummary?)
            switch message.content.body {
            case .commit(let body): commit = CommitOutline(body, by: message.content.sender)
            case .proposal(let body): proposal = ProposalSummary([body])
            case .application: break
            }
            self.init(
                wireFormat: .publicMessage, groupID: message.content.groupID, epoch: message.content.epoch,
                contentType: message.content.body.type, confirmationTag: message.auth.confirmationTag,
                authenticatedData: message.content.authenticatedData, commit: commit, proposal: proposal,
                sender: message.content.sender.member)
        case .privateMessage(let message):
            self.init(
                wireFormat: .privateMessage, groupID: message.groupID, epoch: message.epoch,
                contentType: message.contentType, authenticatedData: message.authenticatedData)
        case .groupInfo(let info):
            self.init(
                wireFormat: .groupInfo, groupID: info.context.groupID, epoch: info.context.epoch,
                confirmationTag: info.confirmationTag)
        case .welcome, .keyPackage: self.init(wireFormat: message.wireFormat)
        }
    }

    private init(
        wireFormat: WireFormat, groupID: [UInt8]? = nil, epoch: UInt64? = nil, contentType: ContentType? = nil,
        confirmationTag: [UInt8]? = nil, authenticatedData: [UInt8]? = nil
    ) {
        self.init(
            wireFormat: wireFormat, groupID: groupID, epoch: epoch, contentType: contentType,
            confirmationTag: confirmationTag, authenticatedData: authenticatedData, commit: nil, proposal: nil,
            sender: nil)
    }
}
