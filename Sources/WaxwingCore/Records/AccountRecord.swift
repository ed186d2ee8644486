import ConclaveProtocol
import MLS

/// Who we are on which server. There is one for each profile.
public struct AccountRecord: StoredRecord {
    static let version: UInt8 = 1

    public var serverURL: String
    public var userID: ID
    public var username: String
    /// The session token; nil after logout, or if the server no longer accepts it.
    public var token: SessionToken?
    /// Raw private signature key of suite 6.
    var signatureKey: Secret
    /// Lower-case hex SHA-256 of the public signature key.
    public var fingerprint: String
    /// When a set of key packages was last uploaded, in Unix seconds; 0 for never.
    var keyPackagesUploadedAt: UInt64
    /// How many more single key packages are owed to the server, one for each Welcome used.
    var keyPackagesOwed: UInt32

    init(
        serverURL: String, userID: ID, username: String, token: SessionToken?, signatureKey: Secret,
        fingerprint: String,
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
        token = try reader.readOptionalOpaque().map { SessionToken($0) }
        signatureKey = Secret(try reader.readOpaque())
        fingerprint = try reader.readText()
        keyPackagesUploadedAt = try reader.read()
        keyPackagesOwed = try reader.read()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeText(serverURL)
        writer.writeID(userID)
        writer.writeText(username)
        writer.writeOptionalOpaque(token.map { $0.withUnsafeBytes { Array($0) } })
        writer.writeOpaque(signatureKey.unwipedCopy)
        writer.writeText(fingerprint)
        writer.write(keyPackagesUploadedAt)
        writer.write(keyPackagesOwed)
    }
}

/// Why no one talks to the server right now: the reason that `outbox list` gives for what waits.
public struct LinkRecord: StoredRecord, Hashable {
    static let version: UInt8 = 3

    /// Nil if all is well.
    public var trouble: Trouble?
    /// When the trouble began.
    public var since: Instant
    /// Failed tries since then.
    public var failures: UInt32
    /// When the next try is due.
    public var nextTry: Deadline?
    public var kind: Kind
    /// The address of the server.
    public var server: String

    /// What kind of trouble it is. The raw value is part of the stored format.
    public enum Kind: UInt8, Hashable, Sendable {
        /// Nothing comes through.
        case noWay = 0
        /// Something else answers.
        case otherServer = 1
        case serverTrouble = 2
        case askedToWait = 3
        /// The server ended the session.
        case sessionOver = 4

        /// The trouble that version 2 stored as a sentence.
        fileprivate func trouble(_ sentence: String) -> Trouble? {
            if sentence.isEmpty { return nil }
            return switch self {
            case .noWay: .transport(.other, detail: sentence)
            case .otherServer: .transport(.badAnswer, detail: sentence)
            case .serverTrouble: .transport(.serverTrouble, detail: sentence)
            case .askedToWait: .transport(.askedToWait, detail: sentence)
            case .sessionOver: .sessionOver
            }
        }
    }

    init(
        trouble: Trouble? = nil, since: Instant, failures: UInt32 = 0, nextTry: Deadline? = nil, kind: Kind = .noWay,
        server: String = ""
    ) {
        self.trouble = trouble
        self.since = since
        self.failures = failures
        self.nextTry = nextTry
        self.kind = kind
        self.server = server
    }

    /// Whether it is the server's own word, which holds for every process.
    var isByServer: Bool { kind == .serverTrouble || kind == .askedToWait }

    /// What keeps everyone from asking this server now; nil if nothing does.
    public func hold(of server: String, _ now: Moment) -> (until: Deadline, trouble: TransportError)? {
        guard isByServer, case .transport(let cause, let detail) = trouble, self.server == server, let nextTry,
            !nextTry.isDue(now)
        else { return nil }
        return (nextTry, TransportError(.notSent, cause, detail))
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        let sentence = version < 3 ? try reader.readText() : ""
        trouble = version < 3 ? nil : try reader.readOptional()
        since = Instant(milliseconds: try reader.read())
        failures = try reader.read()
        // Version 1 had a moment of the wall clock.
        guard version > 1 else {
            _ = try reader.read(UInt64.self)
            (kind, server) = (.noWay, "")
            trouble = kind.trouble(sentence)
            return
        }
        nextTry = try reader.readDeadline()
        guard let kind = Kind(rawValue: try reader.read()) else { throw MLSError(.malformed, "a kind of trouble") }
        self.kind = kind
        server = try reader.readText()
        if version < 3 { trouble = kind.trouble(sentence) }
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeOptional(trouble)
        writer.write(since.milliseconds)
        writer.write(failures)
        writer.write(nextTry)
        writer.write(kind.rawValue)
        writer.writeText(server)
    }
}
