import Files
import Glibc
public import WaxwingCore

extension Moment {
    /// The time on the machine's clocks: the wall clock, and the time since the machine was started, including the time
    /// it slept.
    public static var ofMachine: Moment {
        Moment(wall: Instant(milliseconds: read(CLOCK_REALTIME)), uptime: read(CLOCK_BOOTTIME), boot: thisBoot)
    }

    /// Tells one start of the machine from another, as far as 32 bits can; 0 if the system does not identify them.
    private static let thisBoot: UInt32 = {
        // A UUID of random bits: the first eight digits are enough. Without it, a start is told by its clocks alone.
        let text = try? File("/proc/sys/kernel/random/boot_id", .readOnly).readToEnd(atMost: 64)
        return UInt32(String(decoding: (text ?? []).prefix(8), as: UTF8.self), radix: 16) ?? 0
    }()

    /// Milliseconds; 0 if the clock is before its epoch.
    private static func read(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(max(0, time.tv_sec)) * 1000 + UInt64(max(0, time.tv_nsec)) / 1_000_000
    }
}
