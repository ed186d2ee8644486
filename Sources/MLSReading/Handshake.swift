/// A proposal or a commit sent as a PublicMessage, read to its end (RFC 9420 §6.2). Nothing is verified.
public enum Handshake: Hashable, Sendable {
    case proposal(ProposalOutline)
    case commit(CommitOutline)

    /// - Throws: for anything else, for bytes after the message, and for a proposal type that RFC 9420 does not have:
    ///   such a proposal has no length in front, so its end is not known.
    public init(_ message: some Collection<UInt8>) throws(Unreadable) {
        var reader = WireReader(message)
        let header = try MessageHeader(from: &reader)
        guard let sender = header.sender else { throw Unreadable() }
        switch header.contentType {
        case .application: throw Unreadable()
        case .proposal:
            self = .proposal(try ProposalOutline(from: &reader))
            try reader.skipVector()  // signature
        case .commit:
            let content = try CommitOutline.Content(from: &reader)
            try reader.skipVector()  // signature
            self = .commit(CommitOutline(content, confirmationTag: try reader.readOpaque()))
        }
        if case .member = sender { try reader.skipVector() }  // membership_tag
        try reader.expectEnd()
    }
}

/// What a commit shows to anyone (RFC 9420 §12.4).
public struct CommitOutline: Hashable, Sendable {
    struct Content: Hashable {
        var proposals: Set<ProposalOutline.Kind> = []
        var removes = 0
        var externalInits = 0
        var hasReferences = false
        var hasPath = false
        var pathIdentity: [UInt8]?
    }

    private let content: Content
    /// Proves the state that the commit leads to; a GroupInfo of that state has the same one (RFC 9420 §6.1, §12.4.3).
    public let confirmationTag: [UInt8]

    init(_ content: Content, confirmationTag: [UInt8]) {
        self.content = content
        self.confirmationTag = confirmationTag
    }

    /// The kinds of the proposals that it contains by value.
    public var proposals: Set<ProposalOutline.Kind> { content.proposals }
    /// How many leaves its own proposals empty.
    public var removes: Int { content.removes }
    /// How many ExternalInit proposals it contains.
    public var externalInits: Int { content.externalInits }
    /// Whether it refers to proposals in other messages.
    public var hasReferences: Bool { content.hasReferences }
    /// Whether it has an UpdatePath.
    public var hasPath: Bool { content.hasPath }
    /// Who the committer's new leaf says it is; nil without an UpdatePath, and for other than basic credentials.
    public var pathIdentity: [UInt8]? { content.pathIdentity }
}

extension CommitOutline.Content {
    init(from reader: inout WireReader) throws(Unreadable) {
        var content = Self()
        try reader.readVector { reader throws(Unreadable) in
            switch try reader.read(UInt8.self) {
            case 1: content.note(try ProposalOutline(from: &reader))
            case 2:
                try reader.skipVector()
                content.hasReferences = true
            default: throw Unreadable()
            }
        }
        switch try reader.read(UInt8.self) {
        case 0: break
        case 1:
            content.hasPath = true
            content.pathIdentity = try reader.readLeafNode()
            try reader.skipVector()  // nodes
        default: throw Unreadable()
        }
        self = content
    }

    private mutating func note(_ proposal: ProposalOutline) {
        proposals.insert(proposal.kind)
        if proposal.kind == .remove { removes += 1 }
        if proposal.kind == .externalInit { externalInits += 1 }
    }
}
