import Synchronization

/// Says by which moment things are over: sessions, invites, messages.
///
/// The wall clock's, unless the clock was set. One that jumps ahead would end every session and empty the logs before anybody sees it; so for a
/// day after that, things go on as if time had just passed, and only then is the clock believed. A server that was away for long begins in
/// the same way.
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

    /// - Parameter lastSeen: the latest moment that the database knows of.
    init(_ now: Reading, lastSeen: Int64?) {
        var trusted = now
        if let lastSeen, now.wall.clampedMinus(lastSeen) > Limits.absenceSeconds { trusted.wall = lastSeen }
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
