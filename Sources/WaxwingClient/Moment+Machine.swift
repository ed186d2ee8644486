import Machine
import Files
public import WaxwingCore

extension Moment {
    /// The time on the machine's clocks: the wall clock, and the time since the machine was started, including the time
    /// it slept.
    public static var ofMachine: Moment {
        Moment(
            wall: Instant(milliseconds: Machine.wallMilliseconds), uptime: Machine.uptimeMilliseconds, boot: thisBoot)
    }

    /// Tells one start of the machine from another, as far as 32 bits can; 0 if the system does not identify them.
    private static let thisBoot: UInt32 = {
        // A UUID of random bits: the first eight digits are enough. Without it, a start is told by its clocks alone.
        let text = try? File("/proc/sys/kernel/random/boot_id", .readOnly).readToEnd(atMost: 64)
        return UInt32(String(decoding: (text ?? []).prefix(8), as: UTF8.self), radix: 16) ?? 0
    }()
}
