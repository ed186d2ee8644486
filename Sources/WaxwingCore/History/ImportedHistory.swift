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
    /// Its name, if it is not known here yet.
    public var name: String
    public var alias: String
    /// Where the numberings of the archive belong among those of this profile (``EraMatch``). Rows of other numberings
    /// are left out.
    public var eras: [UInt32: UInt32]
    /// By numbering of the archive: rows with a smaller number get no mark that shows up a second copy, since each mark
    /// takes room in a place of its own. A copy of one can come only if the server restarts its numbering, and is then
    /// recognized by its number and digest.
    public var unmarked: [UInt32: UInt64]
    /// Rows of the log, in order; at most ``ClientLimits/importedRows``.
    public var rows: [HistoryRow]

    public init(
        group: ID, name: String, alias: String, eras: [UInt32: UInt32], unmarked: [UInt32: UInt64] = [:],
        rows: [HistoryRow]
    ) {
        self.group = group
        self.name = name
        self.alias = alias
        self.eras = eras
        self.unmarked = unmarked
        self.rows = rows
    }
}

/// Cuts the rows of an archive into pieces for ``ImportedHistory``: by number of rows or by bytes, whichever is reached
/// first.
public struct ImportPiece: Sendable {
    private var rows = 0
    private var bytes = 0

    public init() {}

    /// Whether the next row still belongs to the piece; the first one always does.
    public mutating func takes(_ row: HistoryRow) -> Bool {
        guard rows == 0 || rows < ClientLimits.importedRows && bytes < ClientLimits.importedBytes else { return false }
        rows += 1
        bytes += row.size
        return true
    }
}

extension HistoryRow {
    /// Roughly how many bytes it takes.
    fileprivate var size: Int {
        switch content {
        case .text(let text): text.utf8.count
        case .system(let events): events.count * 33
        case .unreadable: 1
        }
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
    /// Rows that were left out: another row has their place here, or the log itself has yet to tell of that place, or
    /// no log has it.
    public var misplaced = 0

    public init() {}

    /// Adds up the rows of both.
    public static func += (a: inout ImportCounts, b: ImportCounts) {
        a.added += b.added
        a.opened += b.opened
        a.known += b.known
        a.misplaced += b.misplaced
    }
}
