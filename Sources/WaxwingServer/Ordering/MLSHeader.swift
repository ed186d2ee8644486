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
        var reader = Reader(message)
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

/// A bounds-checked reader of the TLS presentation language; nil means the bytes ran out or are malformed.
private struct Reader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: some Collection<UInt8>) {
        self.bytes = Array(bytes)
    }

    mutating func uint(_ width: Int) -> UInt64? {
        guard bytes.count - position >= width else { return nil }
        var value: UInt64 = 0
        for byte in bytes[position..<position + width] { value = value << 8 | UInt64(byte) }
        position += width
        return value
    }

    /// An `opaque<V>`: the two high bits of its length's first byte say how wide the length is, which must be the
    /// narrowest possible (RFC 9420 §2.1.2).
    mutating func vector() -> [UInt8]? {
        guard let first = uint(1), first >> 6 < 3 else { return nil }
        let more = (1 << Int(first >> 6)) - 1
        guard let rest = uint(more) else { return nil }
        let length = (first & 0x3f) << UInt64(8 * more) | rest
        let isNarrowest = more == 0 || length >= (more == 1 ? 1 << 6 : 1 << 14)
        guard isNarrowest, length <= UInt64(bytes.count - position) else { return nil }
        defer { position += Int(length) }
        return Array(bytes[position..<position + Int(length)])
    }

    /// A sender is a type, and an index for a member (1) or an external sender (2); types 3 and 4 are new members.
    mutating func skipSender() -> Bool {
        switch uint(1) {
        case 1, 2: uint(4) != nil
        case 3, 4: true
        default: false
        }
    }
}
