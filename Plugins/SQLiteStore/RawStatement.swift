import GRDB
import GRDBSQLite

/// A prepared statement without the cost of argument and row objects, for what an account does with every message.
struct RawStatement {
    fileprivate let handle: OpaquePointer
    fileprivate let connection: OpaquePointer

    /// Binds bytes by copy.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws {
        let code = bytes.withUnsafeBytes { buffer in
            // A null pointer would bind NULL instead of an empty blob.
            guard let base = buffer.baseAddress, buffer.count > 0 else {
                return sqlite3_bind_zeroblob(handle, index, 0)
            }
            return sqlite3_bind_blob64(handle, index, base, UInt64(buffer.count), Self.transient)
        }
        try check(code)
    }

    func bind(_ index: Int32, _ number: Int64) throws { try check(sqlite3_bind_int64(handle, index, number)) }

    /// Moves to the next row.
    ///
    /// - Returns: false at the end.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        default: throw DatabaseError(lastOn: connection)
        }
    }

    func blob(_ column: Int32) -> [UInt8] { Array(bytes(column)) }

    /// A blob that is valid until the next step.
    func bytes(_ column: Int32) -> UnsafeRawBufferPointer {
        // The pointer first: asking for it may change the length.
        let base = sqlite3_column_blob(handle, column)
        return UnsafeRawBufferPointer(start: base, count: base == nil ? 0 : Int(sqlite3_column_bytes(handle, column)))
    }

    func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }

    private func check(_ code: Int32) throws {
        guard code == SQLITE_OK else { throw DatabaseError(lastOn: connection) }
    }

    /// SQLITE_TRANSIENT, which is a macro in C.
    private static var transient: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }
}

extension DatabaseError {
    /// The last error on a connection.
    init(lastOn connection: OpaquePointer?) {
        self.init(
            resultCode: ResultCode(rawValue: sqlite3_extended_errcode(connection)),
            message: String(cString: sqlite3_errmsg(connection)))
    }
}

extension Database {
    /// Runs `body` with the statement of `sql`, which is prepared once per connection.
    func raw<Result>(_ sql: String, _ body: (RawStatement) throws -> Result) throws -> Result {
        guard let connection = sqliteConnection else { throw DatabaseError(resultCode: .SQLITE_MISUSE) }
        let statement = try cachedStatement(sql: sql)
        let raw = RawStatement(handle: statement.sqliteStatement, connection: connection)
        defer {
            // Keep no lock and no secret after its use. The code of a reset repeats the one of the last step.
            sqlite3_reset(raw.handle)
            sqlite3_clear_bindings(raw.handle)
        }
        return try body(raw)
    }

    /// Runs a statement with one or two blobs.
    ///
    /// - Returns: whether it changed a row.
    func changed(_ sql: String, _ first: [UInt8], _ second: [UInt8]? = nil) throws -> Bool {
        try raw(sql) { statement in
            try statement.bind(1, first)
            if let second { try statement.bind(2, second) }
            _ = try statement.step()
            return sqlite3_changes(sqliteConnection) > 0
        }
    }
}
