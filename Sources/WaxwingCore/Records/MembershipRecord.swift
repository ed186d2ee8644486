import ConclaveProtocol
import MLS

/// Who is in a group, by the server's word and by the tree. Written when that changes, not with every message.
public struct MembershipRecord: StoredRecord, Hashable {
    static let version: UInt8 = 1

    /// A member by the server's word.
    public struct RosterEntry: Hashable, Sendable {
        public var user: ID
        public var isAdmin: Bool
    }

    struct CommitTag: Hashable, Sendable {
        /// The epoch that the commit ended.
        var epoch: UInt64
        var tag: [UInt8]
    }

    /// The server's roster, as of the last `GET /groups`.
    public internal(set) var roster: [RosterEntry] = []
    /// The users in the ratchet tree, by leaf, as of the group's epoch.
    public internal(set) var tree: [ID] = []
    /// The confirmation tag of the first commit of each epoch in the log (of the first valid one, where we could tell), latest epochs last.
    /// Tells a living GroupInfo from that of a dead commit.
    private(set) var commitTags: [CommitTag] = []

    init() {}

    /// Members by the tree; by the roster where there are no keys.
    public var memberCount: Int { tree.isEmpty ? roster.count : tree.count }

    var admins: [ID] { roster.filter(\.isAdmin).map(\.user) }

    public func isOnRoster(_ user: ID) -> Bool { roster.contains { $0.user == user } }

    /// Notes a commit that stands in the log. The first of an epoch is the one that counts, unless it is known to be invalid.
    mutating func note(commit epoch: UInt64, tag: [UInt8], isValid: Bool = false) {
        if let index = commitTags.firstIndex(where: { $0.epoch == epoch }) {
            if isValid { commitTags[index].tag = tag }
            return
        }
        let place = commitTags.firstIndex { $0.epoch > epoch } ?? commitTags.endIndex
        commitTags.insert(CommitTag(epoch: epoch, tag: tag), at: place)
        if commitTags.count > ClientLimits.commitTags { commitTags.removeFirst() }
    }

    init(from reader: inout TLSReader, version: UInt8) throws(MLSError) {
        var inner = try reader.readSubReader()
        while !inner.isAtEnd {
            roster.append(RosterEntry(user: try inner.readID(), isAdmin: try inner.readBool()))
        }
        inner = try reader.readSubReader()
        while !inner.isAtEnd { tree.append(try inner.readID()) }
        inner = try reader.readSubReader()
        while !inner.isAtEnd { commitTags.append(CommitTag(epoch: try inner.read(), tag: try inner.readOpaque())) }
    }

    func encode(to writer: inout TLSWriter) {
        writer.writeVector { inner in
            for entry in roster {
                inner.writeID(entry.user)
                inner.writeBool(entry.isAdmin)
            }
        }
        writer.writeVector { inner in for user in tree { inner.writeID(user) } }
        writer.writeVector { inner in
            for commit in commitTags {
                inner.write(commit.epoch)
                inner.writeOpaque(commit.tag)
            }
        }
    }
}
