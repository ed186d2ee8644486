import Foundation
import GRDBSQLite
import WaxwingCore

/// SQLite with nothing around it.
final class BareSQLite {
    private var database: OpaquePointer?
    private var put: OpaquePointer?

    init(_ path: String) throws {
        try check(sqlite3_open(path, &database))
        for sql in [
            "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL",
            "CREATE TABLE IF NOT EXISTS record (kind INTEGER, key BLOB, value BLOB, PRIMARY KEY (kind, key)) WITHOUT ROWID",
        ] {
            try check(sqlite3_exec(database, sql, nil, nil, nil))
        }
        try check(
            sqlite3_prepare_v2(
                database, "INSERT OR REPLACE INTO record (kind, key, value) VALUES (?, ?, ?)", -1, &put, nil))
    }

    deinit {
        sqlite3_finalize(put)
        sqlite3_close(database)
    }

    func commit(_ changes: [ChangeSet.Change]) throws {
        try check(sqlite3_exec(database, "BEGIN IMMEDIATE", nil, nil, nil))
        for case .put(let table, let key, let value) in changes {
            try check(sqlite3_bind_int(put, 1, Int32(table.rawValue)))
            try check(sqlite3_bind_blob(put, 2, key, Int32(key.count), Self.transient))
            try check(sqlite3_bind_blob(put, 3, value, Int32(value.count), Self.transient))
            guard sqlite3_step(put) == SQLITE_DONE else { throw Trouble("SQLite cannot write") }
            try check(sqlite3_reset(put))
        }
        try check(sqlite3_exec(database, "COMMIT", nil, nil, nil))
    }

    /// Reads one row, as opening a store does.
    func readOne() throws {
        var statement: OpaquePointer?
        defer { sqlite3_finalize(statement) }
        try check(sqlite3_prepare_v2(database, "SELECT value FROM record LIMIT 1", -1, &statement, nil))
        guard sqlite3_step(statement) == SQLITE_ROW else { throw Trouble("SQLite cannot read") }
    }

    /// SQLite makes a copy.
    private static let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw Trouble("SQLite ended with \(code)") }
    }
}

/// A file that grows by 4 KiB at a time, each on disk before the next.
final class BareFile {
    private let descriptor: Int32
    private let block = [UInt8](repeating: 0x5A, count: 4096)

    init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Trouble("\(path) cannot be made") }
    }

    deinit { close(descriptor) }

    func append() throws {
        guard write(descriptor, block, block.count) == block.count, fsync(descriptor) == 0 else {
            throw Trouble("the disk does not take it")
        }
    }
}

struct Trouble: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
