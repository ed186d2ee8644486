/// Limits that the user does not set.
enum HTTPLimits {
    /// Bytes of one answer's headers. curl limits the length of a line, not the number of lines.
    static let headerBytes = 256 << 10
    /// Bytes of one server-sent event, and of one line of it.
    static let eventBytes = 64 << 10
    /// Bytes of an event id that is sent back.
    static let eventIDBytes = 256
    /// The number of logs whose last sequence number is remembered, to see whether there is traffic.
    static let watchedLogs = 10_000
    /// Characters of curl's own message in a reason.
    static let reasonLength = 200
}
