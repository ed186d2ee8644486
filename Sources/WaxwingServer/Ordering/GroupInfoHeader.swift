import ConclaveProtocol

/// Which group and epoch a GroupInfo speaks of: RFC 9420 §12.4.3, the start of its GroupContext (§8.1).
struct GroupInfoHeader: Hashable, Sendable {
    let groupID: [UInt8]
    /// The epoch that the next commit is made in.
    let epoch: UInt64

    /// Nil unless `message` begins like an MLSMessage of version 1 that holds a GroupInfo of version 1.
    init?(_ message: some Collection<UInt8>) {
        var reader = HeaderReader(message)
        guard reader.uint(2) == 1, reader.uint(2) == 4, reader.uint(2) == 1, reader.uint(2) != nil,
            let groupID = reader.vector(), let epoch = reader.uint(8)
        else { return nil }
        self.groupID = groupID
        self.epoch = epoch
    }
}
