import Glibc

/// Reads what people pipe in, up to a bound.
enum InputBytes {
    /// - Parameters:
    ///   - limit: more bytes than this are an error.
    ///   - upToLineEnd: stop before the first line end, and read nothing behind it.
    /// - Throws: ``Failure`` where reading fails or the limit is passed.
    static func read(from descriptor: Int32, limit: Int, upToLineEnd: Bool = false) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        // Byte by byte where what follows the line belongs to somebody else.
        var buffer = [UInt8](repeating: 0, count: upToLineEnd ? 1 : 64 << 10)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 {
                if errno == EINTR { continue }
                throw Failure(.usage, String(cString: strerror(errno)))
            }
            if count == 0 { return bytes }
            if upToLineEnd, buffer[0] == UInt8(ascii: "\n") {
                if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
                return bytes
            }
            bytes += buffer[..<count]
            if bytes.count > limit { throw Failure(.usage, "there are more than \(limit) bytes") }
        }
    }
}
