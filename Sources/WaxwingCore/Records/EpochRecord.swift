import ConclaveProtocol
import MLS

/// What was noted of the epoch that a group is in. Each epoch begins with an empty record.
struct EpochRecord: StoredRecord {
    /// Version 2 has ``timesSealedAnew`` and ``areKeysSpent``.
    static let version: UInt8 = 2

    var epoch: UInt64
    /// When the commit that led here was accepted, by the server's clock in Unix seconds; 0 if that is not known.
    var startedAt: UInt64
    /// Whether the invites that waited when the epoch began have been looked through.
    var invitesChecked = false
    /// How often a message in our own name, with a key that we had used, made us seal again what waited.
    var timesSealedAnew: UInt8 = 0
    /// Whether another copy of this profile has our keys of this epoch, or may have: nothing is sent with them any
    /// more.
    var areKeysSpent = false
    /// The numbering that ``refused`` belongs to.
    private var era: UInt32 = 0
    /// Rows of the log with a commit for this epoch that every member refuses, by sequence number: the first few, and
    /// the last.
    private var refused: [UInt64] = []

    init(epoch: UInt64, startedAt: UInt64) {
        self.epoch = epoch
        self.startedAt = startedAt
    }

    /// The refused rows that the server can still name in its present numbering.
    func refused(in era: UInt32) -> [UInt64] { era == self.era ? refused : [] }

    mutating func note(refused sequence: UInt64, era: UInt32) {
        if era != self.era { refused = [] }
        self.era = era
        refused.removeAll { $0 == sequence }
        refused.append(sequence)
        // The one that the server counted is the first, or one of the last.
        if refused.count > ClientLimits.refusedCommits { refused.remove(at: ClientLimits.refusedCommits / 4) }
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        epoch = try reader.read()
        startedAt = try reader.read()
        invitesChecked = try reader.readBool()
        era = try reader.read()
        var inner = try reader.readSubReader()
        while !inner.isAtEnd { refused.append(try inner.read()) }
        guard version > 1 else { return }
        timesSealedAnew = try reader.read()
        areKeysSpent = try reader.readBool()
    }

    var neededVersion: UInt8 { timesSealedAnew > 0 || areKeysSpent ? 2 : 1 }

    func encode(to writer: inout TLSWriter) {
        writer.write(epoch)
        writer.write(startedAt)
        writer.writeBool(invitesChecked)
        writer.write(era)
        writer.writeVector { inner in for sequence in refused { inner.write(sequence) } }
        guard neededVersion > 1 else { return }
        writer.write(timesSealedAnew)
        writer.writeBool(areKeysSpent)
    }
}

extension Draft {
    /// What was noted of the epoch that a group is in.
    func epoch(of group: GroupRecord) throws(StoreError) -> EpochRecord {
        if let known: EpochRecord = try record(.membership, Keys.epoch(group.id)), known.epoch == group.epoch {
            return known
        }
        return EpochRecord(epoch: group.epoch, startedAt: 0)
    }

    mutating func put(_ epoch: EpochRecord, for group: ID) { put(.membership, Keys.epoch(group), epoch) }
}
