/// What a member decides for itself; nothing in here is agreed with the group.
public struct GroupConfiguration: Hashable, Sendable {
    /// Whether own proposals and commits go out as PrivateMessage. Off: as PublicMessage, so that a server can order them.
    public var handshakeEncryption = false
    /// Plaintexts are padded with zeros up to a multiple of this many bytes; 0 or 1 means no padding.
    public var paddingBlock = 256
    /// Past epochs whose late messages can still be opened.
    public var pastEpochs = Limits.pastEpochs

    public init() {}
}
