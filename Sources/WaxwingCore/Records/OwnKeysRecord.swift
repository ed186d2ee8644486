import MLS

/// Since when our own leaf of a group has its present keys. Written when they change, not with every message.
struct OwnKeysRecord: StoredRecord, Hashable {
    static let version: UInt8 = 1

    /// When they came, by what was believed to be the time, in Unix seconds.
    var since: UInt64
    /// The same by the clock that only goes forward.
    var uptime: UInt64
    var boot: UInt32
    /// The row of the log after which they count.
    var era: UInt32
    var sequence: UInt64
    /// How often the time ran backwards since. A clock that does so is trusted less each time.
    var setbacks: UInt32

    init(since: UInt64, _ now: Moment, era: UInt32, sequence: UInt64, setbacks: UInt32 = 0) {
        self.since = since
        uptime = now.uptime
        boot = now.boot
        self.era = era
        self.sequence = sequence
        self.setbacks = setbacks
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        (since, uptime, boot) = (try reader.read(), try reader.read(), try reader.read())
        era = try reader.read()
        sequence = try reader.read()
        setbacks = try reader.read()
    }

    func encode(to writer: inout TLSWriter) {
        writer.write(since)
        writer.write(uptime)
        writer.write(boot)
        writer.write(era)
        writer.write(sequence)
        writer.write(setbacks)
    }
}
