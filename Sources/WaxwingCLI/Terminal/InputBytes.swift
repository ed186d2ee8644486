/// Reads what people pipe in, up to a bound.
enum InputBytes {
    /// - Parameters:
    ///   - limit: more bytes than this are an error.
    ///   - upToLineEnd: stop before the first line end, and read nothing behind it.
    /// - Throws: ``Failure`` where reading fails or the limit is passed.
    static func read(
        from descriptor: Int32, limit: Int, upToLineEnd: Bool = false,
        by read: @Sendable (Int32, Int) throws(Failure) -> [UInt8] = Surroundings.systemRead
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            // Byte by byte where what follows the line belongs to somebody else.
            let part = try read(descriptor, upToLineEnd ? 1 : 64 << 10)
            if part.isEmpty { return bytes }
            if upToLineEnd, part[0] == UInt8(ascii: "\n") {
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                return bytes
            }
            bytes += part
            if bytes.count > limit { throw Failure(.usage, "there are more than \(limit) bytes") }
        }
    }
}
