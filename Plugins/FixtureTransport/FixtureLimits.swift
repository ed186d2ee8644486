/// The limits of a recording, each with its reason. A recording may come from anyone.
public enum FixtureLimits {
    /// Bytes of a file. A session of a thousand messages takes one or two million.
    public static let file = 128 << 20
    /// Bytes of one line: an answer of the largest size that a transport accepts, in base64, and again for people.
    public static let line = 64 << 20
    /// Lines of a file; each takes about a kilobyte of memory, however short it is.
    public static let lines = 250_000
    /// Milliseconds on any clock: 9999-12-31. Sums of two of them are far from overflowing.
    static let milliseconds: UInt64 = 253_402_300_799_999
    /// Requests of one command, and bytes drawn or read at once.
    static let requests = 1 << 30
    static let drawn = 1 << 20
    /// Words of one command line.
    static let arguments = 10_000
}

extension FixtureLine {
    /// The name of a member that no recorder can have written; nil if all may be genuine.
    var memberOutOfBounds: String? {
        let seconds = FixtureLimits.milliseconds / 1000
        let checks: [(name: String, holds: Bool)] = [
            ("milliseconds", milliseconds ?? 0 <= FixtureLimits.milliseconds),
            ("uptime", uptime ?? 0 <= FixtureLimits.milliseconds),
            ("retryAfter", retryAfter ?? 0 <= seconds), ("retryAt", retryAt ?? 0 <= seconds),
            ("date", date ?? 0 <= seconds), ("id", (1...FixtureLimits.requests).contains(id ?? 1)),
            ("status", (0...999).contains(status ?? 0)), ("bytes", bytes?.count ?? 0 <= FixtureLimits.drawn),
            ("arguments", arguments?.count ?? 0 <= FixtureLimits.arguments),
        ]
        return checks.first { !$0.holds }?.name
    }
}
