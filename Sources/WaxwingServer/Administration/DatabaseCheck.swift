import Foundation
import GRDB

/// Reads a whole database and compares it with what must hold.
public enum DatabaseCheck {
    /// What is wrong with a server's database, in words; nothing if it is sound. A server may run meanwhile.
    ///
    /// - Throws: `StartupError` if there is no database, or if it cannot be opened.
    public static func problems(in dataDirectory: String) throws -> [String] {
        let path = dataDirectory + "/" + ServerDatabase.fileName
        guard FileManager.default.fileExists(atPath: path) else {
            throw StartupError(.database, "there is no database \(path)")
        }
        do {
            let database = try ServerDatabase(administering: dataDirectory)
            let problems = try database.pool.read { try Self.problems(of: $0) }
            try database.close()
            return problems
        } catch let error as DatabaseError {
            return ["the database cannot be read: \(error)"]
        }
    }

    /// The same for a file that no one uses.
    static func problems(inFile path: String) throws -> [String] {
        do {
            var configuration = Configuration()
            configuration.foreignKeysEnabled = true
            let database = try DatabaseQueue(path: path, configuration: configuration)
            let isKnown = try database.read { db in
                guard try db.tableExists("server") else { return false }
                return try !Schema.migrator.hasBeenSuperseded(db)
            }
            guard isKnown else { return ["it is no database of this server, or of a later version"] }
            try Schema.migrator.migrate(database)
            let problems = try database.read { try Self.problems(of: $0) }
            try database.close()
            return problems
        } catch let error as DatabaseError {
            return ["it cannot be read: \(error)"]
        }
    }

    private static func problems(of db: Database) throws -> [String] {
        var problems = try String.fetchAll(db, sql: "PRAGMA integrity_check(20)").filter { $0 != "ok" }
        guard problems.isEmpty else { return problems }
        let orphans = try Row.fetchAll(db, sql: "PRAGMA foreign_key_check")
        for row in orphans.prefix(20) {
            problems.append(
                "a row of \(row["table"] as String? ?? "?") refers to one of \(row["parent"] as String? ?? "?") that is gone"
            )
        }
        let numbers = try Int64.fetchOne(
            db,
            sql: """
                SELECT count(*) FROM chat
                WHERE last_sequence < (SELECT coalesce(max(sequence), 0) FROM message WHERE group_id = chat.id)
                """)
        if let numbers, numbers > 0 { problems.append("\(numbers) groups have messages beyond their last number") }
        let miscounted = try Int64.fetchOne(
            db,
            sql: """
                WITH kept (user_id, bytes) AS (
                    SELECT sender_id, length(data) FROM message
                    UNION ALL SELECT sender_id, length(data) FROM welcome WHERE sender_id IS NOT NULL
                    UNION ALL SELECT user_id, length(data) FROM group_info WHERE user_id IS NOT NULL
                    UNION ALL SELECT inviter_id, length(commit_message) + length(welcome) + length(group_info)
                        FROM invite),
                sums (user_id, bytes) AS (SELECT user_id, sum(bytes) FROM kept GROUP BY user_id)
                SELECT count(*) FROM usage LEFT JOIN sums USING (user_id)
                WHERE usage.bytes_kept <> coalesce(sums.bytes, 0)
                """)
        if let miscounted, miscounted > 0 { problems.append("the bytes of \(miscounted) users are miscounted") }
        return problems
    }
}
