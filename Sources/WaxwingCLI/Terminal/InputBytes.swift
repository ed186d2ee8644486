import Files
import Machine

/// Reads piped input, up to a limit.
enum InputBytes {
    /// Reads what is available from a descriptor of the system, at most so many bytes; nothing at the end.
    @Sendable static func readSystem(_ descriptor: Int32, _ count: Int) throws(Failure) -> [UInt8] {
        do throws(FileError) {
            return try StandardStreams.read(count, from: descriptor)
        } catch {
            throw Failure(.usage, error.reason)
        }
    }

    /// - Parameters:
    ///   - limit: the maximum number of bytes; more are an error.
    ///   - upToLineEnd: whether to stop at the first line end, and read nothing after it.
    /// - Throws: ``Failure`` if reading fails or the limit is passed.
    static func read(
        from descriptor: Int32, limit: Int, upToLineEnd: Bool = false,
        by read: (Int32, Int) throws(Failure) -> [UInt8] = readSystem
    ) throws(Failure) -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            // Read byte by byte if what follows the line belongs to someone else.
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
