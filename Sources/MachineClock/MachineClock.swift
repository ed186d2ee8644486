import Glibc

/// The clocks of the machine: the one on the wall, which people set, and the one that only ever goes forward.
///
/// How long something takes or waits is measured by ``uptime``, and waited for by ``sleep(for:)``: both go on evenly whatever is done to the
/// clock on the wall, and count the time that the machine sleeps.
public enum MachineClock {
    /// Milliseconds since 1970 (UTC), as the clock on the wall has it; 0 where that shows an earlier time.
    public static var wall: UInt64 { milliseconds(CLOCK_REALTIME) }

    /// Milliseconds since the machine was started.
    public static var uptime: UInt64 { milliseconds(CLOCK_BOOTTIME) }

    /// Tells one start of the machine from another, as far as 32 bits do; 0 where the system does not name them.
    public static let boot: UInt32 = {
        let descriptor = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return 0 }
        defer { close(descriptor) }
        var text = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &text, text.count)
        // A UUID of random bits: the first eight digits do.
        return UInt32(String(decoding: text.prefix(max(0, min(count, 8))), as: UTF8.self), radix: 16) ?? 0
    }()

    /// Waits for so long, by ``uptime``.
    ///
    /// It ends late where the machine is busy, or has been asleep, by at most half a minute.
    ///
    /// - Throws: `CancellationError` where the task is cancelled, at once.
    public static func sleep(for duration: Duration) async throws {
        try await Sleepers.shared.sleep(nanoseconds: duration.nanoseconds)
    }

    private static func milliseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(max(0, time.tv_nsec)) / 1_000_000
    }
}

extension Duration {
    /// At least 0, and short enough to be added to any clock.
    fileprivate var nanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(min(seconds, 1 << 32)) * 1_000_000_000 + UInt64(attoseconds / 1_000_000_000)
    }
}
