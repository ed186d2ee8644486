/// What a proposal shows to anyone (RFC 9420 §12.1).
public struct ProposalOutline: Hashable, Sendable {
    /// The proposal types of RFC 9420 (§17.4).
    public enum Kind: UInt16, Sendable {
        case add = 1
        case update = 2
        case remove = 3
        case preSharedKey = 4
        case reInit = 5
        case externalInit = 6
        case groupContextExtensions = 7
    }

    public let kind: Kind
    /// The leaf that a Remove empties.
    public let removed: UInt32?

    init(from reader: inout WireReader) throws(Unreadable) {
        guard let kind = Kind(rawValue: try reader.read()) else { throw Unreadable() }
        self.kind = kind
        var removed: UInt32?
        switch kind {
        case .add: try reader.skipKeyPackage()
        case .update: _ = try reader.readLeafNode()
        case .remove: removed = try reader.read()
        case .preSharedKey: try reader.skipPreSharedKeyID()
        case .reInit:
            try reader.skipVector()  // group_id
            _ = try reader.read(UInt16.self)  // version
            _ = try reader.read(UInt16.self)  // cipher_suite
            try reader.skipVector()  // extensions
        case .externalInit, .groupContextExtensions: try reader.skipVector()
        }
        self.removed = removed
    }
}

extension WireReader {
    /// Skips a LeafNode (RFC 9420 §7.2).
    ///
    /// - Returns: the identity of its credential (§5.3), if that is a basic one. The content of any other is taken for
    ///   one vector, which is what a certificate chain is, too.
    mutating func readLeafNode() throws(Unreadable) -> [UInt8]? {
        try skipVector()  // encryption_key
        try skipVector()  // signature_key
        let credentialType = try read(UInt16.self)
        let content = try readOpaque()
        for _ in 0..<5 { try skipVector() }  // capabilities
        switch try read(UInt8.self) {
        case 1: _ = (try read(UInt64.self), try read(UInt64.self))  // a key package's lifetime
        case 2: break
        case 3: try skipVector()  // a commit's parent_hash
        default: throw Unreadable()
        }
        try skipVector()  // extensions
        try skipVector()  // signature
        return credentialType == 1 ? content : nil
    }

    /// Skips a KeyPackage (RFC 9420 §10).
    fileprivate mutating func skipKeyPackage() throws(Unreadable) {
        _ = try read(UInt16.self)  // version
        _ = try read(UInt16.self)  // cipher_suite
        try skipVector()  // init_key
        _ = try readLeafNode()
        try skipVector()  // extensions
        try skipVector()  // signature
    }

    /// Skips a PreSharedKeyID (RFC 9420 §8.4).
    fileprivate mutating func skipPreSharedKeyID() throws(Unreadable) {
        switch try read(UInt8.self) {
        case 1: try skipVector()  // psk_id
        case 2:
            _ = try read(UInt8.self)  // usage
            try skipVector()  // psk_group_id
            _ = try read(UInt64.self)  // psk_epoch
        default: throw Unreadable()
        }
        try skipVector()  // psk_nonce
    }
}
