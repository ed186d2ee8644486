import MLS

/// What the clocks show at one moment. It is given from outside; the core has no clock.
public struct Moment: Hashable, Sendable {
    /// The wall clock, which people set: for what is stored and shown.
    public var wall: Instant
    /// Milliseconds since the machine was started, by a clock that only goes forward: for everything that waits.
    public var uptime: UInt64
    /// Tells one start of the machine from another.
    public var boot: UInt32

    public init(wall: Instant, uptime: UInt64, boot: UInt32) {
        self.wall = wall
        self.uptime = uptime
        self.boot = boot
    }

    /// This moment on both clocks, if only one was written down.
    public init(wall: Instant) { self.init(wall: wall, uptime: wall.milliseconds, boot: 0) }

    /// A later moment.
    public func advanced(byMilliseconds delta: UInt64) -> Moment {
        Moment(
            wall: wall.advanced(byMilliseconds: delta), uptime: uptime &+ delta < uptime ? .max : uptime + delta,
            boot: boot)
    }

    /// When a wait that begins now ends.
    ///
    /// - Parameter delta: cut to ``Deadline/longest``.
    public func deadline(afterMilliseconds delta: UInt64) -> Deadline {
        Deadline(uptime: uptime &+ min(delta, Deadline.longest), boot: boot)
    }
}

/// When a wait ends, by the clock that only goes forward. After a restart of the machine, what is left of it is not
/// known, and counts as nothing.
public struct Deadline: Hashable, Sendable {
    /// No wait is longer than this, in milliseconds: one that seems to be was written by a clock that ran differently,
    /// and is over.
    public static let longest: UInt64 = 3_600_000

    /// Milliseconds since the machine was started.
    public var uptime: UInt64
    /// Which start of the machine.
    public var boot: UInt32

    public init(uptime: UInt64, boot: UInt32) {
        self.uptime = uptime
        self.boot = boot
    }

    /// Milliseconds left to wait; 0 if the wait is over.
    public func left(_ now: Moment) -> UInt64 {
        guard boot == now.boot, uptime > now.uptime, uptime - now.uptime <= Self.longest else { return 0 }
        return uptime - now.uptime
    }

    public func isDue(_ now: Moment) -> Bool { left(now) == 0 }

    /// When that is by the wall clock, as it is set now.
    public func wall(_ now: Moment) -> Instant { now.wall.advanced(byMilliseconds: left(now)) }
}

extension Deadline? {
    /// Without a deadline, it is due.
    func isDue(_ now: Moment) -> Bool { self?.isDue(now) ?? true }
}

extension TLSWriter {
    mutating func write(_ deadline: Deadline?) {
        writeBool(deadline != nil)
        guard let deadline else { return }
        write(deadline.uptime)
        write(deadline.boot)
    }
}

extension TLSReader {
    mutating func readDeadline() throws(MLSError) -> Deadline? {
        guard try readBool() else { return nil }
        return Deadline(uptime: try read(), boot: try read())
    }
}
