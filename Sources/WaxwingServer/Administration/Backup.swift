import Files
import Foundation
import GRDB

/// Copies of a server's database, made while it runs and put back while it does not.
public enum Backup {
    /// Copies the database into a new file of mode 0600, which is on disk when this returns. A server may run meanwhile.
    ///
    /// - Throws: `StartupError`.
    public static func make(of dataDirectory: String, to file: String) throws {
        let source = try ServerDatabase(administering: dataDirectory)
        let part = file + ".part"
        do {
            guard !FileSystem.isThere(file) else { throw StartupError(.backup, "\(file) exists already") }
            try create(part)
            let copy = try DatabaseQueue(path: part)
            try source.pool.backup(to: copy)
            // One file, without a journal beside it.
            try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
            try copy.close()
            try sync(part)
            try FileSystem.rename(part, to: file)
            try FileSystem.confirmNames(in: FileSystem.folder(of: file))
            try source.close()
        } catch {
            // The first error says more than what follows it.
            try? FileSystem.remove(part)
            try? source.close()  // The same.
            throw described(error, "cannot make the backup \(file)")
        }
    }

    /// Makes a backup the server's database.
    ///
    /// The restored server does not know what came after the backup, and clients do. So it begins a new era of its logs:
    /// each group's next sequence number is far beyond any that was given out, and answers name the era. Key packages
    /// that may have been used meanwhile are deleted.
    ///
    /// - Parameter replaces: whether a database that is there is put aside, as `waxwing.sqlite.replaced`.
    /// - Returns: the number of the new era.
    /// - Throws: `StartupError` if the file is no whole backup, if a server runs, or if a database is there.
    @discardableResult
    public static func restore(_ file: String, to dataDirectory: String, replaces: Bool) throws -> Int64 {
        let path = dataDirectory + "/" + ServerDatabase.fileName
        let part = path + ".part"
        do {
            try FileManager.default.createDirectory(
                atPath: dataDirectory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let lock = try DirectoryLock(dataDirectory)
            defer { lock.release() }
            let isThere = FileSystem.isThere(path)
            guard replaces || !isThere else {
                throw StartupError(.backup, "\(path) exists; say --replace to put it aside")
            }
            try copy(file, to: part)
            let era = try beginEra(in: part)
            try sync(part)
            if isThere {
                for end in ["-shm", "-wal", ""] where FileSystem.isThere(path + end) {
                    try FileSystem.rename(path + end, to: path + ".replaced" + end)
                }
            }
            try FileSystem.rename(part, to: path)
            try FileSystem.confirmNames(in: dataDirectory)
            return era
        } catch {
            // The first error says more.
            try? FileSystem.remove(part)
            throw described(error, "cannot restore \(file)")
        }
    }

    private static func beginEra(in path: String) throws -> Int64 {
        let problems = try DatabaseCheck.problems(inFile: path)
        guard problems.isEmpty else { throw StartupError(.backup, "the backup is damaged: \(problems[0])") }
        let database = try DatabaseQueue(path: path)
        try Schema.migrator.migrate(database)
        let era = try database.write { db in
            try db.execute(
                sql: """
                    UPDATE chat SET last_sequence = last_sequence + \(ServerLimits.eraSequences);
                    DELETE FROM key_package WHERE is_last_resort = 0;
                    DELETE FROM news;
                    """)
            return try Int64.fetchOne(db, sql: "UPDATE server SET era = era + 1 RETURNING era")
        }
        try database.close()
        return era ?? 1
    }

    /// Left behind by a run that did not end, it is not ours to take.
    private static func create(_ path: String) throws {
        guard try FileSystem.makeFile(path) else { throw StartupError(.backup, "\(path) exists already") }
    }

    private static func copy(_ file: String, to path: String) throws {
        if FileSystem.isThere(path) { try FileSystem.remove(path) }
        try create(path)
        guard let source = FileHandle(forReadingAtPath: file), let target = FileHandle(forWritingAtPath: path) else {
            throw StartupError(.backup, "cannot read \(file)")
        }
        while let piece = try source.read(upToCount: 1 << 20), !piece.isEmpty { try target.write(contentsOf: piece) }
        try target.close()
    }

    private static func sync(_ path: String) throws {
        try File(path, .readOnly).sync()
    }

    private static func described(_ error: any Error, _ what: String) -> StartupError {
        (error as? StartupError) ?? StartupError(.backup, "\(what): \(error)")
    }
}
