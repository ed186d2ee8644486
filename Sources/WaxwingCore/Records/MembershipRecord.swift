import ConclaveProtocol
import MLS

/// Who is in a group, by the server's word and by the tree. Written when that changes, not with every message.
public struct MembershipRecord: StoredRecord, Hashable {
    static let version: UInt8 = 2

    /// A member by the server's word.
    public struct RosterEntry: Hashable, Sendable {
        public var user: ID
        public var isAdmin: Bool
    }

    /// The server's roster, as of the last `GET /groups`.
    public internal(set) var roster: [RosterEntry] = []
    /// The users in the ratchet tree, by leaf, as of the group's epoch.
    public internal(set) var tree: [ID] = []
    /// The commits of the last epochs. They tell a living GroupInfo from that of a dead commit.
    var log = CommitLog()

    init() {}

    /// Members by the tree; by the roster where there are no keys.
    public var memberCount: Int { tree.isEmpty ? roster.count : tree.count }

    var admins: [ID] { roster.filter(\.isAdmin).map(\.user) }

    public func isOnRoster(_ user: ID) -> Bool { roster.contains { $0.user == user } }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var inner = try reader.readSubReader()
        while !inner.isAtEnd {
            roster.append(RosterEntry(user: try inner.readID(), isAdmin: try inner.readBool()))
        }
        inner = try reader.readSubReader()
        while !inner.isAtEnd { tree.append(try inner.readID()) }
        inner = try reader.readSubReader()
        log = try CommitLog(from: &inner, version: version)
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeVector { inner in
            for entry in roster {
                inner.writeID(entry.user)
                inner.writeBool(entry.isAdmin)
            }
        }
        writer.writeVector { inner in for user in tree { inner.writeID(user) } }
        writer.writeVector { inner in log.encode(to: &inner) }
    }
}
