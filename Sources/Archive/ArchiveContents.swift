public import ConclaveProtocol

/// A person as an archive knows them.
public struct ArchiveUser: Hashable, Sendable {
    public var id: ID
    /// Empty if it is not known.
    public var username: String
    public var alias: String
    /// Lower-case hex SHA-256 of the trusted signature key; empty if none is trusted.
    public var fingerprint: String
    /// Whether a person compared the fingerprint by hand.
    public var isVerified: Bool
    /// What transcripts call them; empty for the username.
    public var shownName: String

    public init(
        id: ID, username: String, alias: String = "", fingerprint: String = "", isVerified: Bool = false,
        shownName: String = ""
    ) {
        self.id = id
        self.username = username
        self.alias = alias
        self.fingerprint = fingerprint
        self.isVerified = isVerified
        self.shownName = shownName
    }
}

/// A conversation as an archive knows it.
public struct ArchiveGroup: Hashable, Sendable {
    /// The server's id, else the one it has in the profile.
    public var id: ID
    public var name: String
    public var alias: String
    /// The state of our membership, in a word.
    public var status: String
    public var mlsGroupID: [UInt8]
    /// What came before this epoch was never ours to read.
    public var joinedEpoch: UInt64
    /// Its members, as far as they are known.
    public var members: [ID]

    public init(
        id: ID, name: String, alias: String = "", status: String = "", mlsGroupID: [UInt8] = [],
        joinedEpoch: UInt64 = 0, members: [ID] = []
    ) {
        self.id = id
        self.name = name
        self.alias = alias
        self.status = status
        self.mlsGroupID = mlsGroupID
        self.joinedEpoch = joinedEpoch
        self.members = members
    }
}

/// What goes into an archive besides the rows. It uses no clock: the same state gives the same archive.
public struct ArchiveContents: Hashable, Sendable {
    /// The account that makes the archive.
    public var account: ArchiveUser
    /// The address of the account's server.
    public var server: String
    public var groups: [ArchiveGroup]
    /// Rows that are left out because they are not in the log yet.
    public var waiting: Int
    /// The archive that this one continues.
    public var previous: ArchiveEnd?

    public init(
        account: ArchiveUser, server: String, groups: [ArchiveGroup], waiting: Int = 0, previous: ArchiveEnd? = nil
    ) {
        self.account = account
        self.server = server
        self.groups = groups
        self.waiting = waiting
        self.previous = previous
    }
}

/// The earliest and latest times of rows, by the server's clock, in Unix seconds.
public struct ArchiveSpan: Codable, Hashable, Sendable {
    public var from: UInt64
    public var to: UInt64

    public init(from: UInt64, to: UInt64) {
        self.from = from
        self.to = to
    }

    /// A range that also includes another time.
    static func including(_ time: UInt64, _ span: ArchiveSpan?) -> ArchiveSpan {
        guard let span else { return ArchiveSpan(from: time, to: time) }
        return ArchiveSpan(from: min(span.from, time), to: max(span.to, time))
    }

    /// A range that includes all of them; nil if there are none.
    static func covering(_ spans: [ArchiveSpan]) -> ArchiveSpan? {
        spans.reduce(nil) { .including($1.to, .including($1.from, $0)) }
    }
}

/// Signs for the account that makes the archive.
public protocol ArchiveSigner: Sendable {
    /// The number of the cipher suite whose signature scheme it is (RFC 9420 §17.1).
    var suite: UInt16 { get }
    var publicKey: [UInt8] { get }

    func sign(_ message: [UInt8]) throws -> [UInt8]
}

/// The end of an archive: what an archive that continues it needs to know.
public struct ArchiveEnd: Hashable, Sendable {
    /// The last row of a group.
    public struct Last: Hashable, Sendable {
        public var era: UInt32
        public var sequence: UInt64

        public init(era: UInt32, sequence: UInt64) {
            self.era = era
            self.sequence = sequence
        }
    }

    /// SHA-256 of what the archive's signature covers, in lower-case hex.
    public var id: String
    /// The account that made the archive.
    public var account: ID
    /// The signing key: lower-case hex SHA-256 of the public key.
    public var signer: String
    /// The newest time of a row, in it or in those it continues, in Unix seconds; nil if there is no row.
    public var newest: UInt64?
    /// The archive it continues.
    public var previous: String?
    /// By group, including groups that have rows only in the archives it continues.
    public var last: [ID: Last]

    public init(id: String, account: ID, signer: String, newest: UInt64?, previous: String?, last: [ID: Last]) {
        self.id = id
        self.account = account
        self.signer = signer
        self.newest = newest
        self.previous = previous
        self.last = last
    }
}
