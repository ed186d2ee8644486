import Foundation
import GRDB
import Testing

@testable import WaxwingServer

@Suite struct DatabaseTests {
    private func open(_ body: (ServerDatabase, String) throws -> Void) throws {
        let parent = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: parent) }
        let directory = parent + "/data"
        let database = try ServerDatabase(directory: directory)
        try body(database, directory)
        try database.close()
    }

    @Test func theWriterSyncsEveryCommit() throws {
        try open { database, _ in
            let settings = try database.pool.writeWithoutTransaction { db in
                try ["synchronous", "journal_mode", "foreign_keys"].map { name in
                    try String.fetchOne(db, sql: "PRAGMA \(name)")
                }
            }
            #expect(settings == ["2", "wal", "1"], "2 is FULL")
        }
    }

    @Test func nobodyElseCanReadTheFiles() throws {
        try open { _, directory in
            func mode(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            #expect(try mode(directory) == 0o700)
            for file in try FileManager.default.contentsOfDirectory(atPath: directory) {
                #expect(try mode(directory + "/" + file) == 0o600, "\(file)")
            }
        }
    }

    @Test func everyOpeningHasAHigherNumber() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        var boots: [UInt64] = []
        for _ in 0..<3 {
            let database = try ServerDatabase(directory: directory)
            boots.append(database.boot)
            try database.close()
        }
        #expect(boots == [1, 2, 3])
    }

    @Test func twoServersDoNotShareADirectory() throws {
        try open { _, directory in
            #expect(throws: StartupError(.dataDirectory, "")) { try ServerDatabase(directory: directory) }
        }
    }

    @Test func theSchemaRefusesWhatMustNotBe() throws {
        try open { database, _ in
            let (user, group) = (Data(count: 16), Data(repeating: 1, count: 16))
            try database.pool.write { db in
                try db.execute(
                    sql:
                        "INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at) VALUES (?, 'a', '', '', '', 0)",
                    arguments: [user])
                try db.execute(
                    sql: "INSERT INTO chat VALUES (?, 'g', '', NULL, -1, 1, 0, NULL, 0, NULL, 0)", arguments: [group])
            }
            let forbidden: [(String, StatementArguments)] = [
                (
                    "INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at) VALUES (?, 'a', '', '', '', 0)",
                    [Data(repeating: 2, count: 16)]
                ),
                (
                    "INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at) VALUES (?, 'b', '', '', '', 0)",
                    [Data(count: 15)]
                ),
                (
                    "INSERT INTO user (id, username, alias, password_hash, fingerprint, created_at) VALUES (?, '', '', '', '', 0)",
                    [Data(repeating: 2, count: 16)]
                ),
                ("INSERT INTO member VALUES (?, ?, 3, 0, 0, 0)", [group, user]),
                ("INSERT INTO member VALUES (?, ?, 1, 0, 0, 0)", [group, Data(repeating: 9, count: 16)]),
                ("INSERT INTO message VALUES (?, 0, ?, x'00', 0)", [group, user]),
                ("INSERT INTO message VALUES (?, 1, ?, x'', 0)", [group, user]),
                ("UPDATE chat SET visibility = 3", []),
                ("UPDATE chat SET message_expiry = -2", []),
                ("INSERT INTO key_package (user_id, is_last_resort, data) VALUES (?, 0, x'00')", [user]),
                ("INSERT INTO session VALUES (x'00', ?, 0, 0)", [user]),
            ]
            for (sql, arguments) in forbidden {
                #expect(throws: DatabaseError.self, "\(sql)") {
                    try database.pool.write { try $0.execute(sql: sql, arguments: arguments) }
                }
            }
        }
    }

    /// `created_at` comes after the message in its row: without an index every sweep would read every message.
    @Test func sweepsReadNoMessages() throws {
        try open { database, _ in
            for condition in ["created_at <= 0", "group_id = x'00' AND created_at <= 0"] {
                let plan = try database.pool.read { db in
                    try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN DELETE FROM message WHERE \(condition)")
                }
                let steps = plan.map { $0["detail"] as String }
                #expect(steps.count == 1 && steps[0].contains("_age (") && steps[0].contains("created_at<"), "\(steps)")
            }
        }
    }

    @Test func aFileThatIsNoDatabaseIsSaidToBeNone() throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: directory + "/" + ServerDatabase.fileName))
        #expect(throws: StartupError(.database, "")) { try ServerDatabase(directory: directory) }
    }

    @Test func aMiscountIsFound() async throws {
        let directory = try temporaryDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try await TestServer.run(directory: directory) { server in
            _ = try await server.group("g", [try await server.user("alice")])
            #expect(try DatabaseCheck.problems(in: directory).isEmpty)
            try await server.server.store.write { try $0.execute("UPDATE usage SET bytes_kept = 7") }
            #expect(try DatabaseCheck.problems(in: directory) == ["the bytes of 1 users are miscounted"])
        }
    }
}
