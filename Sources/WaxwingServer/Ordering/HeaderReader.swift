/// A bounds-checked reader of the TLS presentation language; nil means the bytes ran out or are malformed.
struct HeaderReader {
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
