import Synchronization

/// Says by which moment things are over: sessions, invites, messages.
///
/// The wall clock's, unless the clock was set. One that jumps ahead would end every session and empty the logs before anybody sees it; so for a
/// day after that, things go on as if time had just passed, and only then is the clock believed. A server that was away for long begins in
/// the same way.
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
        /// When it was found to have been set, by the uptime.
        var foundAt: Int64?
    }

    private let state: Mutex<State>

    /// - Parameter lastTrusted: what the wall clock showed when it was last right, in an earlier run; nil where no one wrote that down.
    init(_ now: Reading, lastTrusted: Int64?) {
        var trusted = now
        if let lastTrusted {
            let absence = now.wall.clampedMinus(lastTrusted)
            if absence > Limits.absenceSeconds || absence < -Limits.clockSetSeconds { trusted.wall = lastTrusted }
        }
        state = Mutex(State(trusted: trusted))
    }

    /// What to go by. Both are the wall clock's while that is not in doubt; else one is of the time that has just gone on.
    struct Moments: Hashable, Sendable {
        /// What ends at this moment, or ended before, is over.
        var earliest: Int64
        /// What is to last for a while lasts from this one.
        var latest: Int64
        /// By how many seconds the clock was found to have been set just now.
        var found: Int64?

        var isInDoubt: Bool { earliest != latest }
    }

    func moments(_ now: Reading) -> Moments {
        state.withLock { state in
            let expected = state.trusted.wall + (now.uptime - state.trusted.uptime)
            let jump = now.wall.clampedMinus(expected)
            if jump.magnitude <= Limits.clockSetSeconds.magnitude {
                // Clocks are set by a little all the time.
                state = State(trusted: now)
                return Moments(earliest: now.wall, latest: now.wall)
            }
            var moments = Moments(earliest: min(now.wall, expected), latest: max(now.wall, expected))
            guard let foundAt = state.foundAt else {
                state.foundAt = now.uptime
                moments.found = jump
                return moments
            }
            if now.uptime - foundAt >= Limits.clockDoubtSeconds {
                state = State(trusted: now)
                return Moments(earliest: now.wall, latest: now.wall)
            }
            return moments
        }
    }
}

extension Transaction {
    /// Writes down what the clock shows, where it is not in doubt, for the next run.
    func noteClock() throws {
        guard !moments.isInDoubt else { return }
        let known: Int64? = try row("SELECT trusted FROM clock")?[0]
        if let known, abs(now.clampedMinus(known)) < Limits.clockNotedSeconds { return }
        try execute("INSERT OR REPLACE INTO clock (only_row, trusted) VALUES (1, ?)", [now])
    }
}
