import ConclaveProtocol

/// What anyone can read of an MLS message without a key: RFC 9420 §6, the start of PublicMessage and PrivateMessage.
struct MLSHeader: Hashable, Sendable {
    enum ContentType: UInt8, Sendable {
        case application = 1
        case proposal = 2
        case commit = 3
    }

    let groupID: [UInt8]
    let epoch: UInt64
    let contentType: ContentType

    /// Nil unless `message` begins like an MLSMessage of version 1 that holds a PublicMessage or a PrivateMessage.
    /// Reads no further than the content type and keeps nothing but the group id.
    init?(_ message: some Collection<UInt8>) {
        var reader = HeaderReader(message)
        guard reader.uint(2) == 1, let wireFormat = reader.uint(2), let groupID = reader.vector(),
            let epoch = reader.uint(8)
        else { return nil }
        switch wireFormat {
        case 1:
            guard reader.skipSender(), reader.vector() != nil else { return nil }
        case 2: break
        default: return nil
        }
        guard let type = reader.uint(1), let contentType = ContentType(rawValue: UInt8(truncatingIfNeeded: type))
        else { return nil }
        self.groupID = groupID
        self.epoch = epoch
        self.contentType = contentType
    }
}
