import ConclaveProtocol
import MLS

/// Who is in a group, by the server's word and by the tree. Written when that changes, not with every message.
public struct MembershipRecord: StoredRecord, Hashable {
    /// Version 2 adds ``departed``, the numbering of the roster, and most of what is known of commits.
    static let version: UInt8 = 2

    /// A member by the server's word.
    public struct RosterEntry: Hashable, Sendable {
        public var user: ID
        public var isAdmin: Bool
    }

    /// The server's roster, as of the last `GET /groups`.
    public internal(set) var roster: [RosterEntry] = []
    /// The numbering of the log (``GroupRecord/era``) under which the roster was fetched.
    private var rosterEra: UInt32 = 0
    /// Users of the tree whom the roster listed before and no longer lists.
    private var departed: [ID] = []
    /// The users in the ratchet tree, by leaf, as of the group's epoch.
    public internal(set) var tree: [ID] = [] {
        didSet { if !departed.isEmpty { departed.removeAll { !tree.contains($0) } } }
    }
    /// The commits of the last epochs. They tell a living GroupInfo from that of a dead commit.
    var log = CommitLog()

    init() {}

    /// Members by the tree, or by the roster if there are no keys.
    public var memberCount: Int { tree.isEmpty ? roster.count : tree.count }

    var admins: [ID] { roster.filter(\.isAdmin).map(\.user) }

    public func isOnRoster(_ user: ID) -> Bool { roster.contains { $0.user == user } }

    /// Takes the server's roster.
    ///
    /// - Parameter era: the numbering of the log. If the server has restarted it, the server may have been restored to
    ///   an earlier day: those missing since then need not have gone.
    mutating func note(roster: [RosterEntry], era: UInt32) {
        let listed = Set(roster.map(\.user))
        if era == rosterEra {
            departed += self.roster.map(\.user).filter {
                !listed.contains($0) && tree.contains($0) && !departed.contains($0)
            }
        } else {
            departed = []
        }
        departed.removeAll { listed.contains($0) }
        self.roster = roster
        rosterEra = era
    }

    /// Whether the roster that listed a user, and the one that no longer does, belong to the same life of the server.
    func hasLeft(_ user: ID, era: UInt32) -> Bool { rosterEra == era && departed.contains(user) }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var inner = try reader.readSubReader()
        while !inner.isAtEnd {
            roster.append(RosterEntry(user: try inner.readID(), isAdmin: try inner.readBool()))
        }
        inner = try reader.readSubReader()
        while !inner.isAtEnd { tree.append(try inner.readID()) }
        inner = try reader.readSubReader()
        log = try CommitLog(from: &inner, version: version)
        guard version > 1 else { return }
        rosterEra = try reader.read()
        inner = try reader.readSubReader()
        while !inner.isAtEnd { departed.append(try inner.readID()) }
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
        writer.write(rosterEra)
        writer.writeVector { inner in for user in departed { inner.writeID(user) } }
    }
}
