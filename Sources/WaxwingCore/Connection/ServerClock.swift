import MLS

/// What the server's `Date` header says about our own clock.
///
/// Where the two are more than an hour apart, one of them is wrong, and no one here can tell which. Lifetimes are then made and judged by the
/// server's: all who share a server see the same one, so that a member whose own clock is wrong can invite and be invited all the same.
/// A server that lies can make key packages useless by it, as it can by handing out none; a lifetime keeps its length whatever it says.
/// (It can have an old key package used again. Whoever has the private key of one has the signature key too, which lies beside it, and
/// needs no old one.)
struct ServerClock: Sendable {
    /// Moments before this one, in Unix seconds (2025-01-01), were made by a clock that is wrong: there was no Waxwing then.
    static let earliest: UInt64 = 1_735_689_600

    /// What the server's clock showed, in Unix seconds, and when that was by ours.
    private var heard: (date: UInt64, at: Moment)?
    private var isTold = false

    /// An answer has come that names the time.
    ///
    /// - Parameter date: Unix seconds.
    /// - Returns: what people should be told, once for as long as the process lives.
    mutating func hears(_ date: UInt64, at now: Moment) -> Notice? {
        heard = (date, now)
        guard !isTold, isOff(now) else { return nil }
        isTold = true
        return .clocksDiffer(ours: now.wall.seconds, server: date)
    }

    /// What the server's clock shows now, in Unix seconds; nil where it never said. Ours on the wall may have been set meanwhile.
    private func shows(_ now: Moment) -> UInt64? {
        guard let heard, heard.at.boot == now.boot, heard.at.uptime <= now.uptime else { return nil }
        let (moment, overflow) = heard.date.addingReportingOverflow((now.uptime - heard.at.uptime) / 1000)
        return overflow ? nil : moment
    }

    /// The server has told the time.
    func isKnown(_ now: Moment) -> Bool { shows(now) != nil }

    /// The two clocks are too far apart for both to be right.
    func isOff(_ now: Moment) -> Bool {
        guard let server = shows(now) else { return false }
        let ours = now.wall.seconds
        return max(server, ours) - min(server, ours) > ClientLimits.clockSkew
    }

    /// What to go by where ours may be wrong, in Unix seconds.
    func seconds(_ now: Moment) -> UInt64 {
        guard isOff(now), let server = shows(now), server >= Self.earliest else { return now.wall.seconds }
        return server
    }

    /// The lifetime of a leaf node that is made now. Always of the same length, and valid by both clocks where one lifetime reaches so far.
    func lifetime(_ now: Moment) -> Lifetime {
        let (ours, believed) = (now.wall.seconds, seconds(now))
        let reachesBoth = believed > ours && believed - ours < ClientLimits.keyPackageRefresh
        let begin = reachesBoth ? ours : believed
        let notBefore = begin < ClientLimits.lifetimeLead ? 0 : begin - ClientLimits.lifetimeLead
        return Lifetime(notBefore: notBefore, notAfter: notBefore + ClientLimits.lifetimeLength)
    }
}
