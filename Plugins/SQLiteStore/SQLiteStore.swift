import struct GRDB.Configuration
import class GRDB.Database
import struct GRDB.DatabaseError
import class GRDB.DatabaseQueue
import GRDBSQLite
import Synchronization
public import WaxwingCore

/// A store in one SQLite file.
///
/// The file is in WAL mode with `synchronous=FULL`: committed changes survive the loss of power. Several processes may
/// have it open; a writer waits for another one, up to ``SQLiteStoreLimits/busySeconds``.
///
/// What a change set deletes or overwrites is zeroed in its page (`secure_delete` and ``PageScrubber``), and the page
/// with its old content leaves the files before ``commit(_:)`` returns: the write-ahead log is copied into the database
/// and truncated. If another process reads at that moment for longer than ``SQLiteStoreLimits/eraseSeconds``, this is
/// done later by the next commit, by ``close()`` or by the next process that opens the file. Blocks that the file
/// system or the disk has released are out of reach.
public final class SQLiteStore: Store {
    /// The file.
    public let path: String
    /// One connection. All access to it is serial.
    private let queue: DatabaseQueue
    /// Whether old content may still be in the write-ahead log.
    private let hasResidue = Mutex(true)

    /// Opens the store in the file `path`, which is created with mode 0600 in a folder with mode 0700 if there is none.
    ///
    /// - Parameter mustExist: whether not to create anything.
    /// - Throws: ``StoreError`` `notPermitted`, `full`, `newerFormat`, `corrupt` (also if the file is something else),
    ///   `failed`.
    public init(path: String, mustExist: Bool = false) throws(StoreError) {
        self.path = path
        if mustExist { try DatabaseFile.require(path) }
        try DatabaseFile.create(path)
        var configuration = Configuration()
        configuration.label = "SQLiteStore"
        configuration.busyMode = .timeout(SQLiteStoreLimits.busySeconds)
        do {
            queue = try DatabaseQueue(path: path, configuration: configuration)
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
        try access { (db) throws in
            try Schema.open(db, path: path)
            self.erase(db)
        }
    }

    public func revision() throws(StoreError) -> UInt64 {
        try access { (db) throws in try Schema.revision(db) }
    }

    public func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        try access { (db) throws in try db.value(table, key) }
    }

    public func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool
    ) throws(StoreError) -> [Record] {
        try access { (db) throws in
            try db.page(table, from: lower, below: upper, limit: limit, descending: descending)
        }
    }

    public func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        try access { (db) throws in
            try db.forEach(table, from: lower, below: upper, limit: nil, descending: false, body)
        }
    }

    public func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        try access { (db) throws in
            var leavesResidue = false
            do {
                try db.inTransaction(.immediate) {
                    let revision = try Schema.revision(db)
                    guard revision == changes.base else {
                        throw StoreError(
                            .staleRevision,
                            "the store is at revision \(revision), the changes were made on \(changes.base)")
                    }
                    for change in changes.changes {
                        if try change.apply(to: db) { leavesResidue = true }
                    }
                    try Schema.setRevision(revision + 1, db)
                    return .commit
                }
            } catch {
                // Pages of a large change set may have been written out before it failed.
                if leavesResidue { self.hasResidue.withLock { $0 = true } }
                throw error
            }
            if leavesResidue { self.hasResidue.withLock { $0 = true } }
            self.erase(db)
            return changes.base + 1
        }
    }

    /// Closes the file. Every later call fails.
    ///
    /// - Throws: ``StoreError`` if the file could not be closed cleanly; what was committed is safe anyway.
    public func close() throws(StoreError) {
        do {
            queue.writeWithoutTransaction { db in self.erase(db) }
            try queue.close()
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
    }

    /// Brings everything committed into the one file and closes it. On return the file alone is the store, and can be
    /// moved.
    ///
    /// - Throws: ``StoreError``, such as `full`, if that cannot be done; what was committed is safe anyway, in the file
    ///   and the log beside it.
    public func consolidate() throws(StoreError) {
        try access { (db) throws in
            let connection = db.sqliteConnection
            var (inLog, moved): (Int32, Int32) = (0, 0)
            let code = sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_TRUNCATE, &inLog, &moved)
            guard code == SQLITE_OK else { throw DatabaseError(lastOn: connection) }
            self.hasResidue.withLock { $0 = false }
        }
        do { try queue.close() } catch { throw StoreError(sqlite: error, path: path) }
        guard DatabaseFile.size(path + "-wal") == 0 else {
            throw StoreError(.failed, "\(path)-wal still holds a part of the store")
        }
    }

    /// Runs `body` with the connection and turns errors into ``StoreError``.
    func access<Result>(_ body: (Database) throws -> Result) throws(StoreError) -> Result {
        do {
            return try queue.writeWithoutTransaction { db in
                do {
                    return try body(db)
                } catch let error as StoreError {
                    throw error
                } catch {
                    throw StoreError(sqlite: error, systemError: sqlite3_system_errno(db.sqliteConnection), path: path)
                }
            }
        } catch let error as StoreError {
            throw error
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
    }

    /// Moves the write-ahead log into the database and truncates it, if old content may be in it.
    ///
    /// Nothing is thrown: the commit before it is done, and a caller must not believe otherwise. What could not be
    /// erased now is tried again later.
    private func erase(_ db: Database) {
        guard hasResidue.withLock({ $0 }) else { return }
        let connection = db.sqliteConnection
        sqlite3_busy_timeout(connection, Int32(SQLiteStoreLimits.eraseSeconds * 1000))
        defer { sqlite3_busy_timeout(connection, Int32(SQLiteStoreLimits.busySeconds * 1000)) }
        if sqlite3_wal_checkpoint_v2(connection, "main", SQLITE_CHECKPOINT_TRUNCATE, nil, nil) == SQLITE_OK {
            hasResidue.withLock { $0 = false }
        }
    }
}
