import MLS

/// What the server's `Date` header says about our own clock.
///
/// If the two are more than an hour apart, one of them is wrong, and no one here can tell which. Lifetimes are then
/// made and judged by the server's clock: everyone who shares a server sees the same one, so a member whose own clock
/// is wrong can still invite and be invited. A lying server can make key packages useless in this way, as it can by
/// handing out none; a lifetime keeps its length whatever the server says. (It can have an old key package used again.
/// But whoever has the private key of one also has the signature key, which lies beside it, and needs no old package.)
struct ServerClock: Sendable {
    /// Moments before this one, in Unix seconds (2025-01-01), come from a wrong clock: there was no Waxwing then.
    static let earliest: UInt64 = 1_735_689_600

    /// What the server's clock showed, in Unix seconds, and when that was by our clock.
    private var heard: (date: UInt64, at: Moment)?
    private var isTold = false

    /// An answer has come that tells the time.
    ///
    /// - Parameter date: Unix seconds.
    /// - Returns: what people should be told, once in the life of the process.
    mutating func hears(_ date: UInt64, at now: Moment) -> Notice? {
        heard = (date, now)
        guard !isTold, isOff(now) else { return nil }
        isTold = true
        return .clocksDiffer(ours: now.wall.seconds, server: date)
    }

    /// What the server's clock shows now, in Unix seconds; nil if the server never said. Our wall clock may have been
    /// set meanwhile.
    private func shows(_ now: Moment) -> UInt64? {
        guard let heard, heard.at.boot == now.boot, heard.at.uptime <= now.uptime else { return nil }
        let (moment, overflow) = heard.date.addingReportingOverflow((now.uptime - heard.at.uptime) / 1000)
        return overflow ? nil : moment
    }

    /// Whether the server has told the time.
    func isKnown(_ now: Moment) -> Bool { shows(now) != nil }

    /// Whether the two clocks are too far apart for both to be right.
    func isOff(_ now: Moment) -> Bool {
        guard let server = shows(now) else { return false }
        let ours = now.wall.seconds
        return max(server, ours) - min(server, ours) > ClientLimits.clockSkew
    }

    /// The time to go by if ours may be wrong, in Unix seconds.
    func seconds(_ now: Moment) -> UInt64 {
        guard isOff(now), let server = shows(now), server >= Self.earliest else { return now.wall.seconds }
        return server
    }

    /// The lifetime of a leaf node that is made now. It always has the same length, and is valid by both clocks if one
    /// lifetime reaches that far.
    func lifetime(_ now: Moment) -> Lifetime {
        let (ours, believed) = (now.wall.seconds, seconds(now))
        let reachesBoth = believed > ours && believed - ours < ClientLimits.keyPackageRefresh
        let begin = reachesBoth ? ours : believed
        let notBefore = begin < ClientLimits.lifetimeLead ? 0 : begin - ClientLimits.lifetimeLead
        return Lifetime(notBefore: notBefore, notAfter: notBefore + ClientLimits.lifetimeLength)
    }
}
