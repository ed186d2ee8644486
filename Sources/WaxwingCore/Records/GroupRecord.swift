import ConclaveProtocol
import MLS

/// A group as the client sees it, without its MLS state and without anything that grows with its members: it is written
/// with every row.
public struct GroupRecord: StoredRecord, Hashable {
    /// Version 3 adds ``isClosed`` and ``hasNewMembers``.
    static let version: UInt8 = 3

    /// The state of our membership. The raw value is part of the stored format.
    public enum Status: UInt8, Hashable, Sendable {
        /// Being created here; the first commit has not come back yet.
        case creating = 0
        /// A member with a living MLS state.
        case active = 1
        /// On the server's roster, but without MLS state: a Welcome may still come; otherwise `group rejoin` brings it
        /// back.
        case keyless = 2
        /// Removed by someone, banned, or the removal was noticed while away.
        case removed = 3
        case left = 4
        /// The group is gone from the server.
        case deleted = 5
        /// Only history from an archive is here. No one knows whether we are a member before the server's roster says
        /// so.
        case imported = 6
    }

    /// How sure it is that the branch by which we joined is the living one.
    enum Entry: UInt8, Hashable, Sendable {
        /// Another member has acted on it, or we have been there from the beginning.
        case proven = 0
        /// The log says nothing against it.
        case unproven = 1
        /// The log speaks against it, but there was no better way in.
        case doubtful = 2
    }

    /// The key under which everything of the group is stored here: the server's id, or a random one for a group created
    /// here.
    public let id: ID
    /// The server's id; nil until the server knows a group created here.
    public var serverID: ID?
    /// Lower-case text, unique on the server.
    public var name: String
    public var alias: String
    public var status: Status
    /// The last sequence number whose row is stored here.
    public var cursor: UInt64
    /// Counts restarts of the server's numbering, so that history stays in order across them.
    public var era: UInt32
    public var mlsGroupID: [UInt8]
    public var epoch: UInt64
    /// The epoch at which we joined: what came before was never ours to read.
    public var joinedEpoch: UInt64
    /// The confirmation tag of the commit that brought us in, until that commit was seen in the log.
    var joinTag: [UInt8]
    /// Whether a commit for the epoch before ``joinedEpoch`` came in the log ahead of the one that brought us in.
    var rivalSeen: Bool
    /// Rows of unreached epochs that are kept, and their size in bytes.
    var parkedRows: Int
    var parkedBytes: UInt64
    /// Who made the last commit that counted.
    var lastCommitter: ID?
    var entry = Entry.proven
    /// By whose Welcome or GroupInfo we joined: what they do on the branch is no proof of it.
    var entryBy: ID?
    /// Whether rows have left the log unseen, possibly with commits among them.
    var hasHole = false
    /// Whether someone is in the tree whom messages must not reach, or must not reach yet (``RoomRecord``).
    public internal(set) var isClosed = false
    /// Whether members have joined whom no message of ours has reached yet.
    var hasNewMembers = false

    init(id: ID, serverID: ID?, name: String, alias: String, status: Status) {
        self.id = id
        self.serverID = serverID
        self.name = name
        self.alias = alias
        self.status = status
        cursor = 0
        era = 0
        mlsGroupID = []
        epoch = 0
        joinedEpoch = 0
        joinTag = []
        rivalSeen = false
        parkedRows = 0
        parkedBytes = 0
        lastCommitter = nil
    }

    /// Whether a member can write here, now or once the group is ready.
    public var isOpen: Bool { status == .active || status == .creating || status == .keyless }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        id = try reader.readID()
        serverID = try reader.readOptionalID()
        name = try reader.readText()
        alias = try reader.readText()
        guard let status = Status(rawValue: try reader.read()) else {
            throw MLSError(.malformed, "unknown group status")
        }
        self.status = status
        cursor = try reader.read()
        era = try reader.read()
        mlsGroupID = try reader.readOpaque()
        epoch = try reader.read()
        joinedEpoch = try reader.read()
        joinTag = try reader.readOpaque()
        rivalSeen = try reader.readBool()
        parkedRows = Int(try reader.read(UInt32.self))
        parkedBytes = try reader.read()
        lastCommitter = try reader.readOptionalID()
        guard version > 1 else { return }
        guard let entry = Entry(rawValue: try reader.read()) else { throw MLSError(.malformed, "unknown entry") }
        self.entry = entry
        entryBy = try reader.readOptionalID()
        hasHole = try reader.readBool()
        guard version > 2 else { return }
        isClosed = try reader.readBool()
        hasNewMembers = try reader.readBool()
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeID(id)
        writer.writeOptionalID(serverID)
        writer.writeText(name)
        writer.writeText(alias)
        writer.write(status.rawValue)
        writer.write(cursor)
        writer.write(era)
        writer.writeOpaque(mlsGroupID)
        writer.write(epoch)
        writer.write(joinedEpoch)
        writer.writeOpaque(joinTag)
        writer.writeBool(rivalSeen)
        writer.write(UInt32(clamping: parkedRows))
        writer.write(parkedBytes)
        writer.writeOptionalID(lastCommitter)
        writer.write(entry.rawValue)
        writer.writeOptionalID(entryBy)
        writer.writeBool(hasHole)
        writer.writeBool(isClosed)
        writer.writeBool(hasNewMembers)
    }
}
