import ConclaveProtocol
import MLS

/// Who we are on which server. One a profile.
public struct AccountRecord: StoredRecord {
    static let version: UInt8 = 1

    public var serverURL: String
    public var userID: ID
    public var username: String
    /// The session token, nil after logout or when the server no longer takes it.
    public var token: String?
    /// Raw private signature key of suite 6.
    var signatureKey: Secret
    /// Lower-case hex SHA-256 of the public signature key.
    public var fingerprint: String
    /// When key packages were last uploaded as a set, in Unix seconds; 0 for never.
    var keyPackagesUploadedAt: UInt64
    /// How many more single key packages are owed to the server, one for each Welcome used.
    var keyPackagesOwed: UInt32

    init(
        serverURL: String, userID: ID, username: String, token: String?, signatureKey: Secret, fingerprint: String,
        keyPackagesUploadedAt: UInt64 = 0, keyPackagesOwed: UInt32 = 0
    ) {
        self.serverURL = serverURL
        self.userID = userID
        self.username = username
        self.token = token
        self.signatureKey = signatureKey
        self.fingerprint = fingerprint
        self.keyPackagesUploadedAt = keyPackagesUploadedAt
        self.keyPackagesOwed = keyPackagesOwed
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        serverURL = try reader.readText()
        userID = try reader.readID()
        username = try reader.readText()
        token = try reader.readOptionalOpaque().map { String(decoding: $0, as: UTF8.self) }
        signatureKey = Secret(try reader.readOpaque())
        fingerprint = try reader.readText()
        keyPackagesUploadedAt = try reader.read()
        keyPackagesOwed = try reader.read()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeText(serverURL)
        writer.writeID(userID)
        writer.writeText(username)
        writer.writeOptionalOpaque(token.map { Array($0.utf8) })
        writer.writeOpaque(signatureKey.unwipedCopy)
        writer.writeText(fingerprint)
        writer.write(keyPackagesUploadedAt)
        writer.write(keyPackagesOwed)
    }
}

/// Why the server is not being talked to right now: what `outbox list` gives as the reason things wait.
public struct LinkRecord: StoredRecord, Hashable {
    static let version: UInt8 = 2

    /// Empty while all is well.
    public var trouble: String
    /// When the trouble began.
    public var since: Instant
    /// Tries that failed since then.
    public var failures: UInt32
    /// When the next try is due.
    public var nextTry: Deadline?

    init(trouble: String = "", since: Instant, failures: UInt32 = 0, nextTry: Deadline? = nil) {
        self.trouble = trouble
        self.since = since
        self.failures = failures
        self.nextTry = nextTry
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        trouble = try reader.readText()
        since = Instant(milliseconds: try reader.read())
        failures = try reader.read()
        // Version 1 had a moment of the wall clock.
        if version == 1 { _ = try reader.read(UInt64.self) } else { nextTry = try reader.readDeadline() }
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeText(trouble)
        writer.write(since.milliseconds)
        writer.write(failures)
        writer.write(nextTry)
    }
}
