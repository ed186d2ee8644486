import Machine
import WaxwingCore

/// Times as people read them, in the local time zone.
enum TimeText {
    /// `2026-11-23 22:10`, from Unix seconds.
    static func minute(_ seconds: UInt64) -> String { format(seconds, "%Y-%m-%d %H:%M") }

    /// `22:10:05` within a day of `now`, else with the date.
    static func second(_ moment: Instant, now: Instant) -> String {
        let distance = moment < now ? now.seconds - moment.seconds : moment.seconds - now.seconds
        return format(moment.seconds, distance < 86_400 ? "%H:%M:%S" : "%Y-%m-%d %H:%M:%S")
    }

    /// The same for the end of a wait.
    static func second(_ deadline: Deadline, now: Moment) -> String { second(deadline.wall(now), now: now.wall) }

    private static func format(_ seconds: UInt64, _ pattern: String) -> String {
        // The year 9999: no one means a time beyond it.
        guard seconds < 253_402_300_800 else { return "----" }
        return Machine.localTime(seconds, pattern) ?? "----"
    }
}
