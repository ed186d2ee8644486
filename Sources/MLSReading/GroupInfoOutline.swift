/// What a GroupInfo shows to anyone (RFC 9420 §12.4.3, §8.1). Nothing is verified.
public struct GroupInfoOutline: Hashable, Sendable {
    public let groupID: [UInt8]
    /// The epoch that the next commit is made in.
    public let epoch: UInt64
    /// The tag of the commit that led into the epoch.
    public let confirmationTag: [UInt8]

    /// - Throws: unless `message` is an MLSMessage of version 1 that holds a GroupInfo of version 1, and nothing after
    ///   it.
    public init(_ message: some Collection<UInt8>) throws(Unreadable) {
        var reader = WireReader(message)
        guard try reader.readWireFormat() == .groupInfo, try reader.read(UInt16.self) == 1 else { throw Unreadable() }
        _ = try reader.read(UInt16.self)  // cipher_suite
        groupID = try reader.readOpaque()
        epoch = try reader.read()
        try reader.skipVector()  // tree_hash
        try reader.skipVector()  // confirmed_transcript_hash
        try reader.skipVector()  // the context's extensions
        try reader.skipVector()  // extensions
        confirmationTag = try reader.readOpaque()
        _ = try reader.read(UInt32.self)  // signer
        try reader.skipVector()  // signature
        try reader.expectEnd()
    }
}
