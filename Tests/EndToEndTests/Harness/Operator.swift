import ConclaveProtocol
import Foundation
import MLS
import Testing

/// The one who runs the server and lies: changes its database while it runs, past every rule that it keeps.
struct Operator: Sendable {
    private let file: String
    private let folder: String
    /// The group that is meant, in SQL.
    private let room: String

    /// - Parameter group: by its name on the server.
    init(of stage: Stage, group: String = "room") {
        folder = stage.folder
        file = stage.folder + "/server/data/waxwing.sqlite"
        room = "(SELECT id FROM chat WHERE name = '\(group)')"
    }

    // MARK: The roster

    func setPublic(_ isPublic: Bool) async throws {
        try await run("UPDATE chat SET visibility = \(isPublic ? 2 : 1) WHERE id = \(room)")
    }

    /// Puts someone on the roster without their consent.
    func enlist(_ user: ID) async throws {
        try await run(
            "INSERT OR REPLACE INTO member VALUES (\(room), \(blob(user.bytes)), 1, strftime('%s', 'now') + 0, 0, 0)")
    }

    func strike(_ user: ID) async throws {
        try await run("DELETE FROM member WHERE group_id = \(room) AND user_id = \(blob(user.bytes))")
    }

    /// How many invites wait.
    func invites() async throws -> Int {
        Int(try await run("SELECT count(*) FROM invite WHERE group_id = \(room)").first ?? "") ?? -1
    }

    /// Calls someone by another name, and the one who had that name `instead`.
    func rename(_ user: ID, to name: String, instead: String) async throws {
        try await run(
            """
            UPDATE user SET username = '\(instead)' WHERE username = '\(name)';
            UPDATE user SET username = '\(name)' WHERE id = \(blob(user.bytes))
            """)
    }

    func id(of name: String) async throws -> ID {
        let digits = try await run("SELECT lower(hex(id)) FROM user WHERE username = '\(name)'").first ?? ""
        return try #require(hexDecode(digits.utf8).flatMap { ID($0) }, "there is no \(name)")
    }

    // MARK: The log

    func log() async throws -> [LogRow] {
        try await run(
            "SELECT sequence, lower(hex(sender_id)), lower(hex(data)) FROM message WHERE group_id = \(room) ORDER BY 1"
        ).map { line in
            let fields = line.split(separator: "|")
            let sender = try #require(hexDecode(fields[1].utf8).flatMap { ID($0) })
            return LogRow(
                sequence: try #require(UInt64(fields[0])), sender: sender,
                message: try #require(hexDecode(fields[2].utf8)), createdAt: 0)
        }
    }

    /// Puts a row into the log.
    func append(_ message: [UInt8], from sender: ID) async throws {
        try await run(transaction(appending(message, from: sender)))
    }

    /// Puts a commit into the log, and counts it like any that was accepted.
    func take(commit: [UInt8], groupInfo: [UInt8] = [], from sender: ID) async throws {
        let summary = try MLSMessage.summary(of: commit)
        let (epoch, tag) = (try #require(summary.epoch), try #require(summary.confirmationTag))
        let sortable = blob((0..<8).reversed().map { UInt8(truncatingIfNeeded: epoch >> (8 * UInt64($0))) })
        let last = "FROM chat WHERE id = \(room)"
        var sql =
            appending(commit, from: sender) + """
                UPDATE chat SET epoch = \(epoch), highest_epoch = \(epoch) WHERE id = \(room);
                INSERT OR REPLACE INTO taken_commit SELECT id, \(sortable), last_sequence \(last);
                INSERT OR REPLACE INTO commit_tag SELECT id, \(sortable), \(blob(tag)), last_sequence \(last);
                """
        if !groupInfo.isEmpty { sql += storing(groupInfo, tag: tag) }
        try await run(transaction(sql))
    }

    /// Removes the row of a message from the log.
    func delete(_ message: [UInt8]) async throws {
        try await run("DELETE FROM message WHERE group_id = \(room) AND data = \(blob(message))")
    }

    /// Removes a row, and moves up those after it, so that no number is missing.
    func deleteAndRenumber(_ message: [UInt8]) async throws {
        let place = "(SELECT sequence FROM gone)"
        // By way of numbers that no row has.
        let far = 1_000_000
        try await run(
            transaction(
                """
                CREATE TEMP TABLE gone AS SELECT sequence FROM message WHERE group_id = \(room) AND data = \(blob(message));
                DELETE FROM message WHERE group_id = \(room) AND sequence = \(place);
                UPDATE message SET sequence = sequence + \(far) WHERE group_id = \(room) AND sequence > \(place);
                UPDATE message SET sequence = sequence - \(far + 1) WHERE group_id = \(room) AND sequence > \(far);
                UPDATE chat SET last_sequence = last_sequence - 1 WHERE id = \(room);
                """))
    }

    // MARK: What joiners get

    func putGroupInfo(_ groupInfo: [UInt8]) async throws {
        let tag = try #require(try MLSMessage.summary(of: groupInfo).confirmationTag)
        try await run(transaction(storing(groupInfo, tag: tag)))
    }

    /// The one that is given out.
    func groupInfo() async throws -> [UInt8] {
        let digits = try await run(
            "SELECT lower(hex(data)) FROM group_info WHERE group_id = \(room) ORDER BY number DESC LIMIT 1"
        ).first
        return try #require(hexDecode((digits ?? "").utf8))
    }

    /// Hands out key packages as a user's, and none that are theirs.
    func give(keyPackages: [[UInt8]], of user: ID) async throws {
        let rows = keyPackages.map {
            "INSERT INTO key_package (user_id, is_last_resort, data) VALUES (\(blob(user.bytes)), 0, \(blob($0)));"
        }
        try await run(
            transaction(
                "DELETE FROM key_package WHERE user_id = \(blob(user.bytes));\n" + rows.joined(separator: "\n")))
    }

    func leave(welcome: [UInt8], for user: ID) async throws {
        try await run(
            """
            INSERT INTO welcome (id, group_id, user_id, data, created_at) VALUES (
                randomblob(16), \(room), \(blob(user.bytes)), \(blob(welcome)), strftime('%s', 'now') + 0)
            """)
    }

    // MARK: SQL

    private func appending(_ message: [UInt8], from sender: ID) -> String {
        """
        UPDATE chat SET last_sequence = last_sequence + 1 WHERE id = \(room);
        INSERT INTO message SELECT id, last_sequence, \(blob(sender.bytes)), \(blob(message)), strftime('%s', 'now') + 0
            FROM chat WHERE id = \(room);

        """
    }

    private func storing(_ groupInfo: [UInt8], tag: [UInt8]) -> String {
        """

        DELETE FROM group_info WHERE group_id = \(room) AND tag = \(blob(tag));
        INSERT INTO group_info (group_id, tag, data) VALUES (\(room), \(blob(tag)), \(blob(groupInfo)));
        """
    }

    private func transaction(_ sql: String) -> String { "BEGIN IMMEDIATE;\n\(sql)\nCOMMIT;" }

    private func blob(_ bytes: [UInt8]) -> String { "X'\(hexEncode(bytes))'" }

    @discardableResult
    private func run(_ sql: String) async throws -> [Substring] {
        let input = ".timeout 10000\nPRAGMA foreign_keys = ON;\n\(sql);\n"
        let process = try ChildProcess(
            "/usr/bin/env", ["sqlite3", "-batch", "-bail", file], environment: Programs.environment, input: input,
            folder: folder)
        let exit = try await process.exit()
        guard exit.status == 0, process.errors.isEmpty else {
            throw ChildProcess.Failure(description: "sqlite3: \(process.errors) of \(sql.prefix(200))")
        }
        return process.output.split(separator: "\n")
    }
}
