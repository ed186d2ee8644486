import ConclaveProtocol
import MLS

/// What we know of a user: names from the server, the key we trust from the tree.
public struct UserRecord: StoredRecord, Hashable {
    static let version: UInt8 = 1

    /// Empty while unknown.
    public var username: String
    public var alias: String
    /// Lower-case hex SHA-256 of the signature key first seen in a group (trust on first use); empty before that.
    public var fingerprint: String
    /// Whether a person compared the fingerprint by hand.
    public var verified: Bool
    /// A different key that was seen later and that no one has accepted yet; empty if there is none.
    public var changedFingerprint: String

    init(
        username: String = "", alias: String = "", fingerprint: String = "", verified: Bool = false,
        changedFingerprint: String = ""
    ) {
        self.username = username
        self.alias = alias
        self.fingerprint = fingerprint
        self.verified = verified
        self.changedFingerprint = changedFingerprint
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        username = try reader.readText()
        alias = try reader.readText()
        fingerprint = try reader.readText()
        verified = try reader.readBool()
        changedFingerprint = try reader.readText()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeText(username)
        writer.writeText(alias)
        writer.writeText(fingerprint)
        writer.writeBool(verified)
        writer.writeText(changedFingerprint)
    }
}
