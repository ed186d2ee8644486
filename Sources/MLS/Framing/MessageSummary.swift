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
