import class GRDB.Database
import WaxwingCore

/// The content of the file, and how to tell it from other files.
enum Schema {
    /// "WAXW", which identifies a store to `file` and to us.
    static let applicationID: Int32 = 0x5741_5857
    /// The version of the stored format, kept as `user_version`.
    static let version = 1

    /// The quoted name of a table. Part of the stored format.
    static func name(_ table: Table) -> String {
        switch table {
        case .account: "\"account\""
        case .user: "\"user\""
        case .keyPackage: "\"key_package\""
        case .group: "\"group\""
        case .groupState: "\"group_state\""
        case .staged: "\"staged\""
        case .outbox: "\"outbox\""
        case .inbox: "\"inbox\""
        case .history: "\"history\""
        case .seen: "\"seen\""
        case .invite: "\"invite\""
        case .membership: "\"membership\""
        }
    }

    /// Prepares a fresh connection: checks what the file is before anything is written, configures the connection, and
    /// creates the tables in an empty file.
    static func open(_ db: Database, path: String) throws {
        try check(db, path: path)
        let code = PageScrubber.install(db.sqliteConnection)
        guard code == 0 else { throw StoreError(.failed, "\(path) cannot be kept free of old content (code \(code))") }
        try db.execute(sql: "PRAGMA max_page_count = \(PageScrubber.pageCountMax)")
        // WAL is a property of the file. Two processes that create one at the same time can be told "busy" without a
        // wait.
        try retryingWhileBusy { try db.execute(sql: "PRAGMA journal_mode = WAL") }
        // These are properties of the connection. FULL is what makes a commit durable.
        try db.execute(sql: "PRAGMA synchronous = FULL")
        try db.execute(sql: "PRAGMA secure_delete = ON")
        // Rolled-back pages never go to a file of their own.
        try db.execute(sql: "PRAGMA temp_store = MEMORY")
        if try userVersion(db) == 0 {
            try db.inTransaction(.immediate) {
                // Another process may have been first.
                if try userVersion(db) == 0 { try create(db) }
                return .commit
            }
        }
        _ = try revision(db)
    }

    /// The number of change sets committed so far.
    static func revision(_ db: Database) throws -> UInt64 {
        try db.raw("SELECT revision FROM meta WHERE id = 1") { statement in
            guard try statement.step() else { throw StoreError(.corrupt, "the store has lost its revision") }
            return UInt64(max(0, statement.integer(0)))
        }
    }

    static func setRevision(_ revision: UInt64, _ db: Database) throws {
        try db.raw("UPDATE meta SET revision = ?1 WHERE id = 1") { statement in
            try statement.bind(1, Int64(clamping: revision))
            _ = try statement.step()
        }
    }

    /// - Throws: ``StoreError`` if the file is not a store, or one of an unknown version.
    static func check(_ db: Database, path: String) throws {
        let version = try userVersion(db)
        let application = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
        let isEmpty = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_schema") == 0
        if isEmpty && version == 0 && application == 0 { return }
        guard application == applicationID, version > 0 else {
            throw StoreError(.corrupt, "\(path) is a database of another program")
        }
        guard version <= Self.version else {
            throw StoreError(
                .newerFormat,
                "\(path) was written by a newer version (format \(version), this one knows \(Self.version))")
        }
    }

    private static func create(_ db: Database) throws {
        try db.execute(
            sql: """
                CREATE TABLE meta (
                    id INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
                    revision INTEGER NOT NULL CHECK (revision >= 0)
                ) STRICT
                """)
        try db.execute(sql: "INSERT INTO meta (id, revision) VALUES (1, 0)")
        for table in Table.allCases { try db.execute(sql: TableSQL.of(table).create) }
        try db.execute(sql: "PRAGMA application_id = \(applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(version)")
    }

    /// The version of the stored format; 0 if nothing is stored yet.
    static func userVersion(_ db: Database) throws -> Int {
        try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
    }
}
