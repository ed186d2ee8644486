import ConclaveProtocol
import MLS

/// What was trusted before keys were seen on a branch of a group that is not proven to live. If the branch turns out to
/// be dead, trust goes back to this.
struct UnprovenPins: StoredRecord {
    static let version: UInt8 = 1

    struct Entry: Hashable {
        var user: ID
        var before: Pin
        var after: Pin
    }

    /// The keys of a user record.
    struct Pin: Hashable {
        var fingerprint = ""
        var changedFingerprint = ""
        var verified = false
    }

    private(set) var entries: [Entry] = []

    init() {}

    mutating func note(_ user: ID, from before: Pin, to after: Pin) {
        if let known = entries.firstIndex(where: { $0.user == user }) {
            entries[known].after = after
        } else {
            entries.append(Entry(user: user, before: before, after: after))
        }
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        while !reader.isAtEnd {
            entries.append(
                Entry(user: try reader.readID(), before: try Pin(from: &reader), after: try Pin(from: &reader)))
        }
    }

    func encode(to writer: inout TLSWriter) {
        for entry in entries {
            writer.writeID(entry.user)
            entry.before.encode(to: &writer)
            entry.after.encode(to: &writer)
        }
    }
}

extension UnprovenPins.Pin {
    init(from reader: inout TLSReader) throws(MLSError) {
        fingerprint = try reader.readText()
        changedFingerprint = try reader.readText()
        verified = try reader.readBool()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeText(fingerprint)
        writer.writeText(changedFingerprint)
        writer.writeBool(verified)
    }
}

extension UserRecord {
    var pin: UnprovenPins.Pin {
        get { .init(fingerprint: fingerprint, changedFingerprint: changedFingerprint, verified: verified) }
        set {
            (fingerprint, changedFingerprint, verified) = (
                newValue.fingerprint, newValue.changedFingerprint, newValue.verified
            )
        }
    }
}

extension Draft {
    func unprovenPins(of group: ID) throws(StoreError) -> UnprovenPins? {
        try record(.membership, Keys.unprovenPins(group))
    }

    mutating func put(_ pins: UnprovenPins, for group: ID) { put(.membership, Keys.unprovenPins(group), pins) }
}
