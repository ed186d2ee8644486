import Files
import struct GRDB.Configuration
import class GRDB.Database
import struct GRDB.DatabaseError
import class GRDB.DatabaseQueue
import GRDBSQLite
import WaxwingCore

/// The content of a database and its write-ahead log at one moment, in memory.
///
/// It is for places where SQLite cannot make the index of the log that processes share: a disk that is mounted
/// read-only, or full. Nothing is written, neither there nor anywhere else. It takes as much memory as the database has
/// bytes.
final class DatabaseImage: Sendable {
    let queue: DatabaseQueue
    private let database: ReadOnlyFile
    private let log: ReadOnlyFile?
    private let path: String

    /// - Throws: ``StoreError``.
    init(path: String) throws(StoreError) {
        self.path = path
        guard let database = try ReadOnlyFile(path) else { throw StoreError(FileError(path, .noSuchFileOrDirectory)) }
        self.database = database
        log = try ReadOnlyFile(path + "-wal")
        let pages = try Self.pages(database, log)
        do {
            var configuration = Configuration()
            configuration.label = "SQLiteReader"
            queue = try DatabaseQueue(configuration: configuration)
            if let pages { try queue.inDatabase { db in try pages.become(db) } }
        } catch {
            throw StoreError(sqlite: error, path: path)
        }
    }

    /// Whether the files have not changed since it was made.
    var isCurrent: Bool {
        guard database.isCurrent else { return false }
        if let log { return log.isCurrent }
        return !FileSystem.isThere(path + "-wal")
    }

    /// - Returns: nil if nothing is stored yet.
    private static func pages(_ database: ReadOnlyFile, _ file: ReadOnlyFile?) throws(StoreError) -> Pages? {
        let log = try file.flatMap { file throws(StoreError) in
            try WriteAheadLog { (offset, count) throws(StoreError) in try file.bytes(at: offset, count) }
        }
        let committed = log.flatMap { log in log.pageCount.map { (log, Int($0) * log.pageSize) } }
        let size = committed?.1 ?? Int(database.size)
        if size == 0 { return nil }
        // More than SQLite allocates at once, 2 GB, is refused.
        guard let memory = sqlite3_malloc64(UInt64(size)) else {
            throw StoreError(.failed, "\(database.path) is too large to be read where nothing can be written")
        }
        let pages = Pages(bytes: UnsafeMutableRawBufferPointer(start: memory, count: size))
        // What is not in the file is in the log.
        pages.bytes.initializeMemory(as: UInt8.self, repeating: 0)
        try database.read(at: 0, into: UnsafeMutableRawBufferPointer(rebasing: pages.bytes.prefix(Int(database.size))))
        if let log = committed?.0, let file {
            for (page, offset) in log.pages {
                let start = (Int(page) - 1) * log.pageSize
                // A page that was released again.
                guard start + log.pageSize <= size else { continue }
                try file.read(
                    at: offset,
                    into: UnsafeMutableRawBufferPointer(rebasing: pages.bytes[start..<start + log.pageSize]))
            }
        }
        return pages
    }

    /// The pages of a database, in SQLite's memory.
    private final class Pages {
        let bytes: UnsafeMutableRawBufferPointer
        private var isGiven = false

        init(bytes: UnsafeMutableRawBufferPointer) { self.bytes = bytes }

        deinit { if !isGiven { sqlite3_free(bytes.baseAddress) } }

        /// Replaces the database that a connection has open with them.
        func become(_ db: Database) throws {
            // In memory there is no log: the two versions in the header say so (SQLite file format §1.3.3).
            if bytes.count >= 100 { (bytes[18], bytes[19]) = (1, 1) }
            isGiven = true
            let code = sqlite3_deserialize(
                db.sqliteConnection, "main", bytes.bindMemory(to: UInt8.self).baseAddress, Int64(bytes.count),
                Int64(bytes.count), UInt32(SQLITE_DESERIALIZE_FREEONCLOSE | SQLITE_DESERIALIZE_READONLY))
            guard code == SQLITE_OK else { throw DatabaseError(lastOn: db.sqliteConnection) }
        }
    }
}

/// A file open for reading. It stays open: closing a descriptor drops the locks that SQLite has on the file in this
/// process.
private final class ReadOnlyFile: Sendable {
    private let file: File
    private let status: FileStatus

    var path: String { file.path }
    var size: Int64 { status.size }

    /// - Returns: nil if there is no such file.
    init?(_ path: String) throws(StoreError) {
        do throws(FileError) {
            file = try File(path, .readOnly, .nonBlocking)
        } catch {
            if error.code == .noSuchFileOrDirectory { return nil }
            throw StoreError(error)
        }
        // What has no status is no file to read either.
        guard let status = try? file.status(), status.isRegular else {
            throw StoreError(.notPermitted, "\(path) is not a file")
        }
        self.status = status
    }

    /// Whether the file of that name is this one, and has not changed since it was opened.
    var isCurrent: Bool {
        // If that cannot be told, it is opened again.
        guard let now = try? FileSystem.status(of: path) else { return false }
        return now.isUnchanged(since: status)
    }

    /// Fewer than `count` only at the end of the file.
    func bytes(at offset: UInt64, _ count: Int) throws(StoreError) -> [UInt8] {
        do throws(FileError) { return try file.bytes(at: offset, count) } catch { throw StoreError(error) }
    }

    /// - Throws: also if there are fewer bytes.
    func read(at offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(StoreError) {
        let read: Int
        do throws(FileError) { read = try file.readAll(at: offset, into: buffer) } catch { throw StoreError(error) }
        guard read == buffer.count else { throw StoreError(.failed, "\(path) became shorter while it was read") }
    }
}
