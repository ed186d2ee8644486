import MachineClock
public import WaxwingCore

extension Moment {
    /// What the machine's clocks show.
    public static var ofMachine: Moment {
        Moment(
            wall: Instant(milliseconds: MachineClock.wall), uptime: MachineClock.uptime, boot: MachineClock.boot)
    }
}
