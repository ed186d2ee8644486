public import ConclaveProtocol

/// A user whose names an archive knows.
public struct ImportedUser: Hashable, Sendable {
    public var id: ID
    public var username: String
    public var alias: String

    public init(id: ID, username: String, alias: String) {
        self.id = id
        self.username = username
        self.alias = alias
    }
}

/// A piece of a group's history from an archive.
public struct ImportedHistory: Hashable, Sendable {
    /// The server's id of the group.
    public var group: ID
    /// What it is called where it is not known here yet.
    public var name: String
    public var alias: String
    /// Where the numberings of the archive belong among those of this profile (``EraMatch``). Rows of others are left out.
    public var eras: [UInt32: UInt32]
    /// Rows of the log, in order; at most ``ClientLimits/importedRows``.
    public var rows: [HistoryRow]

    public init(group: ID, name: String, alias: String, eras: [UInt32: UInt32], rows: [HistoryRow]) {
        self.group = group
        self.name = name
        self.alias = alias
        self.eras = eras
        self.rows = rows
    }
}

/// What became of imported rows.
public struct ImportCounts: Hashable, Sendable {
    /// Rows that were missing.
    public var added = 0
    /// Rows that could not be opened here, and can be read now.
    public var opened = 0
    /// Rows that are here already.
    public var known = 0
    /// Rows whose place is another's here, or of a numbering from before the first that is known here.
    public var misplaced = 0

    public init() {}

    /// Adds the counts of one piece to those of the pieces before it.
    public static func += (a: inout ImportCounts, b: ImportCounts) {
        a.added += b.added
        a.opened += b.opened
        a.known += b.known
        a.misplaced += b.misplaced
    }
}
