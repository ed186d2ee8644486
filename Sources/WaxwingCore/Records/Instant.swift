/// A moment on the wall clock, in milliseconds since 1970 (UTC). It is given from outside; the core has no clock.
///
/// People set that clock, so it tells when something was, but not how long something lasts: that is for a ``Deadline``.
public struct Instant: Hashable, Comparable, Sendable {
    public var milliseconds: UInt64

    public init(milliseconds: UInt64) { self.milliseconds = milliseconds }

    /// Whole seconds since 1970.
    public var seconds: UInt64 { milliseconds / 1000 }

    public static func < (a: Instant, b: Instant) -> Bool { a.milliseconds < b.milliseconds }

    /// A later moment; the last possible one if the sum is too large.
    public func advanced(byMilliseconds delta: UInt64) -> Instant {
        Instant(milliseconds: milliseconds &+ delta < milliseconds ? .max : milliseconds + delta)
    }
}
