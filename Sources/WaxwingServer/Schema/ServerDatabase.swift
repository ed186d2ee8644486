import Files
import Foundation
import GRDB

/// The one SQLite file: opened, migrated, and configured so that a commit is on disk when it returns.
struct ServerDatabase: Sendable {
    static let fileName = "waxwing.sqlite"

    let pool: DatabasePool
    /// How often this file has been opened; no two runs of the server share a number.
    let boot: UInt64

    /// How often the database was restored from a backup, plus one.
    let era: Int64

    private let lock: DirectoryLock?

    /// For the one server that uses the directory.
    ///
    /// - Throws: `StartupError` with the code `.dataDirectory` or `.database`.
    init(directory: String) throws {
        let path = directory + "/" + Self.fileName
        try Self.prepare(directory: directory, file: path)
        let lock = try DirectoryLock(directory)
        self.lock = lock
        do {
            pool = try Self.openPool(path)
            try Schema.migrator.migrate(pool)
            let row = try pool.write { db in
                try Row.fetchOne(db, sql: "UPDATE server SET boots = boots + 1 RETURNING boots, era")
            }
            boot = UInt64(row?[0] as Int64? ?? 1)
            era = row?[1] ?? 1
        } catch {
            lock.release()
            throw StartupError(.database, "cannot open the database \(path): \(error)")
        }
    }

    /// For an operator, whether or not a server uses the directory meanwhile.
    ///
    /// - Throws: `StartupError` with the code `.dataDirectory` or `.database`.
    init(administering directory: String) throws {
        let path = directory + "/" + Self.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            throw StartupError(.database, "there is no database \(path); waxwingd makes one when it starts")
        }
        lock = nil
        do {
            pool = try Self.openPool(path)
            // Without a server, an older database is brought up to date here; with one, it is the server's.
            if let lock = try? DirectoryLock(directory) {
                defer { lock.release() }
                try Schema.migrator.migrate(pool)
            }
            guard try pool.read({ try Schema.migrator.hasCompletedMigrations($0) }) else {
                throw StartupError(.database, "the server that runs on \(path) is of another version")
            }
            let row = try pool.read { try Row.fetchOne($0, sql: "SELECT boots, era FROM server") }
            boot = UInt64(row?[0] as Int64? ?? 1)
            era = row?[1] ?? 1
        } catch let error as StartupError {
            throw error
        } catch {
            throw StartupError(.database, "cannot open the database \(path): \(error)")
        }
    }

    private static func openPool(_ path: String) throws -> DatabasePool {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(5)
        configuration.label = "waxwing"
        let pool = try DatabasePool(path: path, configuration: configuration)
        // GRDB sets NORMAL on its writer after `prepareDatabase`, so FULL is set here, on the writer itself.
        try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        return pool
    }

    /// What the clock showed when it was last right, in seconds since 1970; nil in a new database.
    ///
    /// - Throws: `StartupError` with the code `.database`.
    func trustedClock() throws -> Int64? {
        do {
            return try pool.read { db in try Int64.fetchOne(db, sql: "SELECT trusted FROM clock") }
        } catch {
            throw StartupError(.database, "cannot read the database: \(error)")
        }
    }

    /// Leaves one file: SQLite folds the journal into the database when the last connection is the writer.
    func close() throws {
        pool.releaseMemory()  // closes the readers, for which GRDB's `close` is too late
        try pool.close()
        lock?.release()
    }

    /// Makes folder and file before SQLite does, so that neither is ever readable by others.
    private static func prepare(directory: String, file: String) throws {
        do {
            // An existing folder keeps the mode its owner gave it.
            try FileManager.default.createDirectory(
                atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartupError(.dataDirectory, "cannot create the data directory \(directory)")
        }
        do throws(FileError) {
            let file = try File(file, .readWrite, .create)
            // Another owner's file stays unchanged.
            try? file.setPermissions(0o600)
        } catch {
            throw StartupError(.dataDirectory, "the data directory \(directory) is not writable: \(error.reason)")
        }
    }
}
