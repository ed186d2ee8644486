/// The start of a framed message: what anyone can read of both a PublicMessage and a PrivateMessage (RFC 9420 §6,
/// §6.3).
public struct MessageHeader: Hashable, Sendable {
    /// What a message carries (RFC 9420 §6).
    public enum ContentType: UInt8, Sendable {
        case application = 1
        case proposal = 2
        case commit = 3
    }

    /// The claimed sender of a message (RFC 9420 §6). It is not verified.
    public enum Sender: Hashable, Sendable {
        /// The leaf with this index.
        case member(UInt32)
        /// An entry of the group's external_senders extension.
        case external(UInt32)
        case newMemberProposal
        /// The author of an external commit.
        case newMemberCommit
    }

    public let groupID: [UInt8]
    public let epoch: UInt64
    public let contentType: ContentType
    /// Nil in a PrivateMessage, where it is encrypted.
    public let sender: Sender?

    /// Reads no further than the content type; whatever follows may be missing.
    ///
    /// - Throws: unless `message` begins like an MLSMessage of version 1 that holds a PublicMessage or a
    ///   PrivateMessage.
    public init(_ message: some Collection<UInt8>) throws(Unreadable) {
        var reader = WireReader(message)
        try self.init(from: &reader)
    }

    init(from reader: inout WireReader) throws(Unreadable) {
        let wireFormat = try reader.readWireFormat()
        guard wireFormat == .publicMessage || wireFormat == .privateMessage else { throw Unreadable() }
        groupID = try reader.readOpaque()
        epoch = try reader.read()
        if wireFormat == .publicMessage {
            sender = try Sender(from: &reader)
            try reader.skipVector()  // authenticated_data
        } else {
            sender = nil
        }
        guard let contentType = ContentType(rawValue: try reader.read()) else { throw Unreadable() }
        self.contentType = contentType
    }
}

extension MessageHeader.Sender {
    fileprivate init(from reader: inout WireReader) throws(Unreadable) {
        switch try reader.read(UInt8.self) {
        case 1: self = .member(try reader.read())
        case 2: self = .external(try reader.read())
        case 3: self = .newMemberProposal
        case 4: self = .newMemberCommit
        default: throw Unreadable()
        }
    }
}

/// How an MLSMessage is wrapped (RFC 9420 §17.2); only the formats that are read here.
enum WireFormat: UInt16 {
    case publicMessage = 1
    case privateMessage = 2
    case groupInfo = 4
}

extension WireReader {
    /// The version of an MLSMessage, which has to be 1, and its wire format (RFC 9420 §6).
    mutating func readWireFormat() throws(Unreadable) -> WireFormat {
        guard try read(UInt16.self) == 1, let format = WireFormat(rawValue: try read()) else { throw Unreadable() }
        return format
    }
}
