import MLS

/// What the server's `Date` header says about our own clock.
///
/// Where the two are more than an hour apart, one of them is wrong, and nobody here can tell which. Lifetimes are then made and judged by the
/// server's: all who share a server see the same one, so that a member whose own clock is wrong can invite and be invited all the same.
/// A server that lies can make key packages useless by it, as it can by handing out none; a lifetime keeps its length whatever it says.
/// (It can have an old key package used again. Whoever has the private key of one has the signature key too, which lies beside it, and
/// needs no old one.)
struct ServerClock: Sendable {
    /// Moments before this one, in Unix seconds (2025-01-01), were made by a clock that is wrong: there was no Waxwing then.
    static let earliest: UInt64 = 1_735_689_600

    /// The server's time less ours, in seconds, when it last answered.
    private(set) var offset: Int64?
    private var isTold = false

    /// An answer has come that names the time.
    ///
    /// - Parameter date: Unix seconds.
    /// - Returns: what people should be told, once for as long as the process lives.
    mutating func heard(_ date: UInt64, at now: Instant) -> Notice? {
        guard let server = Int64(exactly: date), let ours = Int64(exactly: now.seconds) else { return nil }
        offset = server - ours
        guard !isTold, isOff else { return nil }
        isTold = true
        return .clocksDiffer(ours: now.seconds, server: date)
    }

    /// The two clocks are too far apart for both to be right.
    var isOff: Bool { offset.map { $0.magnitude > ClientLimits.clockSkew } ?? false }

    /// The server has named the time, and ours is the same.
    var isConfirmed: Bool { offset != nil && !isOff }

    /// What to go by where ours may be wrong, in Unix seconds.
    func seconds(_ now: Instant) -> UInt64 {
        guard let offset, isOff, let ours = Int64(exactly: now.seconds) else { return now.seconds }
        let (server, overflow) = ours.addingReportingOverflow(offset)
        guard !overflow, server >= Int64(Self.earliest) else { return now.seconds }
        return UInt64(server)
    }

    /// The lifetime of a leaf node that is made now. Always of the same length, and valid by both clocks where one lifetime reaches so far.
    func lifetime(_ now: Instant) -> Lifetime {
        let (ours, believed) = (now.seconds, seconds(now))
        let reachesBoth = believed > ours && believed - ours < ClientLimits.keyPackageRefresh
        let begin = reachesBoth ? ours : believed
        return Lifetime(
            notBefore: begin < ClientLimits.clockSkew ? 0 : begin - ClientLimits.clockSkew,
            notAfter: begin + ClientLimits.keyPackageLifetime)
    }
}
