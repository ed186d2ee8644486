/// A moment on the wall clock, in milliseconds since 1970 (UTC). It comes in from outside; the core has no clock.
public struct Instant: Hashable, Comparable, Sendable {
    public var milliseconds: UInt64

    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// Whole seconds since 1970.
    public var seconds: UInt64 { milliseconds / 1000 }

    public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

    /// Whether a moment that was set by this clock has come. One that lies further ahead than anything is ever put off was set by a
    /// clock that ran ahead, and counts as come.
    func isDue(_ now: Instant) -> Bool {
        milliseconds <= now.milliseconds || milliseconds - now.milliseconds > ClientLimits.longestWait
    }

    /// A later moment; the last one there is where the sum is too large.
    public func advanced(byMilliseconds delta: UInt64) -> Instant {
        Instant(milliseconds: milliseconds &+ delta < milliseconds ? .max : milliseconds + delta)
    }
}
