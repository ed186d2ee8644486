import struct GRDB.Configuration
import class GRDB.Database
import struct GRDB.DatabaseError
import class GRDB.DatabaseQueue
import Synchronization
public import WaxwingCore

/// A store in one SQLite file, for reading only: nothing stored is changed, and nothing has to be writable.
///
/// If SQLite can share the write-ahead log with other processes, it sees what they commit as they commit it. If it
/// cannot, on a disk that is mounted read-only or is full, the file and the log are read into memory, see
/// ``DatabaseImage``.
public final class SQLiteReader: Store {
    /// The file.
    public let path: String

    private enum Source: Sendable {
        case shared(DatabaseQueue)
        case image(DatabaseImage)

        var queue: DatabaseQueue {
            switch self {
            case .shared(let queue): queue
            case .image(let image): image.queue
            }
        }
    }

    /// Nil if there is nothing to be read yet.
    private let source: Mutex<Source?>
    /// How often a read starts again because the files changed meanwhile.
    private static let attempts = 100

    /// - Throws: ``StoreError`` `notPermitted`, `newerFormat`, `corrupt` (also if the file is something else), `failed`
    ///   (also if there is none).
    public init(path: String) throws(StoreError) {
        self.path = path
        try DatabaseFile.require(path)
        source = Mutex(try Self.open(path))
    }

    public func revision() throws(StoreError) -> UInt64 {
        try access(empty: 0) { (db) throws in try Schema.revision(db) }
    }

    public func value(_ table: Table, _ key: [UInt8]) throws(StoreError) -> [UInt8]? {
        try access(empty: nil) { (db) throws in try db.value(table, key) }
    }

    public func page(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?, limit: Int, descending: Bool
    ) throws(StoreError) -> [Record] {
        try access(empty: []) { (db) throws in
            try db.page(table, from: lower, below: upper, limit: limit, descending: descending)
        }
    }

    /// - Throws: ``StoreError``, also if the lent records turn out to have changed meanwhile.
    public func forEach(
        _ table: Table, from lower: [UInt8], below upper: [UInt8]?,
        _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool
    ) throws(StoreError) {
        try access(empty: ()) { (db) throws in
            try db.forEach(table, from: lower, below: upper, limit: nil, descending: false, body)
        }
    }

    /// - Throws: ``StoreError`` `notPermitted`, always.
    public func commit(_ changes: ChangeSet) throws(StoreError) -> UInt64 {
        throw StoreError(.notPermitted, "\(path) was opened for reading only")
    }

    // MARK: -

    private func access<Result>(empty: Result, _ body: (Database) throws -> Result) throws(StoreError) -> Result {
        guard let source = try current() else { return empty }
        do {
            return try source.queue.inDatabase(body)
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
    }

    private func current() throws(StoreError) -> Source? {
        try source.withLock { (source) throws(StoreError) in
            switch source {
            case .shared: break
            case .image(let image) where image.isCurrent: break
            // A writer has changed the files, or is about to register here.
            case .image, nil: source = try Self.open(path)
            }
            return source
        }
    }

    private static func open(_ path: String) throws(StoreError) -> Source? {
        do {
            return try openShared(path)
        } catch let error as DatabaseError {
            switch error.resultCode {
            case .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_PERM: break
            default: throw StoreError(sqlite: error, path: path)
            }
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
        // While SQLite makes a new database it has a journal, and nothing is stored in it.
        if DatabaseFile.size(path + "-journal") > 0 { return nil }
        for _ in 0..<attempts {
            let image = try DatabaseImage(path: path)
            // A writer has changed the files: what was read may mix old and new content.
            guard image.isCurrent else { continue }
            do {
                return try image.queue.inDatabase { try isEmpty($0, path) } ? nil : .image(image)
            } catch {
                throw StoreError(sqlite: error, path: path)
            }
        }
        throw StoreError(.failed, "\(path) changes faster than it can be read")
    }

    /// SQLite's own way, which needs the log's index to exist, or to be made.
    private static func openShared(_ path: String) throws -> Source? {
        var configuration = Configuration()
        configuration.label = "SQLiteReader"
        configuration.readonly = true
        configuration.busyMode = .timeout(SQLiteStoreLimits.busySeconds)
        let queue = try DatabaseQueue(path: path, configuration: configuration)
        return try queue.inDatabase { try isEmpty($0, path) } ? nil : .shared(queue)
    }

    private static func isEmpty(_ db: Database, _ path: String) throws -> Bool {
        try Schema.check(db, path: path)
        return try Schema.userVersion(db) == 0
    }
}
