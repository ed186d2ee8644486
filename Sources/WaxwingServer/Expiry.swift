import Synchronization

/// Decides when sessions, invites and messages expire.
///
/// It uses the wall clock, unless the clock was set. A clock that jumps ahead would end every session and empty the
/// logs before anyone notices. So for a day after a jump, time is counted as if it had just passed, and only then is
/// the clock believed. A server that was away for long begins in the same way.
///
/// ```
/// trusted ──── time goes on ───▶ expected ─┐
///                                          ├─ what is over, by the earlier of the two; what lasts, from the later
/// the clock is set ────────────▶ wall ─────┘
/// ```
final class Expiry: Sendable {
    struct Reading: Hashable, Sendable {
        /// Seconds since 1970.
        var wall: Int64
        /// Seconds since the machine started.
        var uptime: Int64
    }

    private struct State {
        /// The last reading at which the clock was right, as far as is known.
        var trusted: Reading
        /// When the clock was found to have been set, by the uptime.
        var foundAt: Int64?
    }

    private let state: Mutex<State>

    /// - Parameter lastTrusted: what the wall clock showed when it was last right, in an earlier run; nil if that was
    ///   not recorded.
    init(_ now: Reading, lastTrusted: Int64?) {
        var trusted = now
        if let lastTrusted {
            let absence = now.wall.clampedMinus(lastTrusted)
            if absence > ServerLimits.absenceSeconds || absence < -ServerLimits.clockSetSeconds {
                trusted.wall = lastTrusted
            }
        }
        state = Mutex(State(trusted: trusted))
    }

    /// The times to use. Both are the wall clock's while that is not in doubt; otherwise one of them simply continues.
    struct Moments: Hashable, Sendable {
        /// What ends at or before this time has expired.
        var earliest: Int64
        /// Durations start at this time.
        var latest: Int64
        /// By how many seconds the clock was just found to have been set.
        var found: Int64?

        var isInDoubt: Bool { earliest != latest }
    }

    func moments(_ now: Reading) -> Moments {
        state.withLock { state in
            let expected = state.trusted.wall + (now.uptime - state.trusted.uptime)
            let jump = now.wall.clampedMinus(expected)
            if jump.magnitude <= ServerLimits.clockSetSeconds.magnitude {
                // Clocks are adjusted a little all the time.
                state = State(trusted: now)
                return Moments(earliest: now.wall, latest: now.wall)
            }
            var moments = Moments(earliest: min(now.wall, expected), latest: max(now.wall, expected))
            guard let foundAt = state.foundAt else {
                state.foundAt = now.uptime
                moments.found = jump
                return moments
            }
            if now.uptime - foundAt >= ServerLimits.clockDoubtSeconds {
                state = State(trusted: now)
                return Moments(earliest: now.wall, latest: now.wall)
            }
            return moments
        }
    }
}

extension Transaction {
    /// Records what the clock shows, if it is not in doubt, for the next run.
    func noteClock() throws {
        guard !moments.isInDoubt else { return }
        let known: Int64? = try row("SELECT trusted FROM clock")?[0]
        if let known, abs(now.clampedMinus(known)) < ServerLimits.clockNotedSeconds { return }
        try execute("INSERT OR REPLACE INTO clock (only_row, trusted) VALUES (1, ?)", [now])
    }
}
